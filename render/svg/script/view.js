// The part that is shown: scales, and the memory axis, by the rules of scales.c.
const X = (t, scale = view) => left + (t - scale.from) / (scale.to - scale.from) * width;
const Y = (v, scale = view) => floor - height * (data.log ? Math.log(Math.max(v, fixedAxis ? scale.low * 1e-6 : scale.low) / scale.low) / Math.log(scale.high / scale.low)
  : (v - scale.low) / (scale.high - scale.low));
const timeAt = x => view.from + (x - left) / width * (view.to - view.from);
const inside = t => t >= view.from && t <= view.to;

// The part of a line, or of a closed shape, on one side of a moment.
function cut(points, moment, side, closed) {
  const out = [], keeps = t => side * (t - moment) >= 0;
  points.forEach((point, i) => {
    const before = i ? points[i - 1] : closed ? points[points.length - 1] : point;
    if (keeps(before[0]) !== keeps(point[0]))
      out.push([moment, before[1] + (point[1] - before[1]) * (moment - before[0]) / (point[0] - before[0])]);
    if (keeps(point[0])) out.push(point);
  });
  return out;
}
// The points of a line are in the order of time, so those of the view are one stretch of it.
function stretch(points) {
  let first = 0, end = points.length;
  for (let b = end; first < b;) { const half = (first + b) >> 1; if (points[half][0] < view.from) first = half + 1; else b = half; }
  for (let a = first; a < end;) { const half = (a + end) >> 1; if (points[half][0] <= view.to) a = half + 1; else end = half; }
  const edge = (i, j, moment) => [moment, points[i][1] + (points[j][1] - points[i][1]) * (moment - points[i][0]) / (points[j][0] - points[i][0])];
  const out = points.slice(first, end);
  if (first > 0 && first < points.length && points[first][0] > view.from) out.unshift(edge(first - 1, first, view.from));
  if (end > 0 && end < points.length && points[end - 1][0] < view.to) out.push(edge(end - 1, end, view.to));
  return out;
}
const shown = (points, closed) => closed ? cut(cut(points, view.from, 1, true), view.to, -1, true) : stretch(points);
function shownOf(item) {
  if (item.view !== view) {
    item.view = view;
    item.shown = shown(item.points, item.role === 'layer');
  }
  return item.shown;
}
function pathOf(points, y) {
  let text = '';
  const scale = width / (view.to - view.from);
  for (const [t, v] of points) text += (text ? 'L' : 'M') + tenth(left + (t - view.from) * scale) + ' ' + tenth(y(v));
  return text;
}
const path = (points, end = '') => points.length < 2 ? '' : pathOf(points, Y) + end;

// As in scales.c: the axis starts at 0, unless memory changes little; it includes the control group
// and its limit if the curve stays high enough.
function memoryAxis([least, most]) {
  if (fixedAxis || data.log) return { low, high };
  const bottom = most - least < most / 3 && most > least ? Math.max(0, least - (most - least) * 0.15) : 0;
  return { low: bottom, high: bottom + (most - bottom) * height / (height - headroom) };
}
const lengthOf = range => { const axis = memoryAxis(range); return axis.high - axis.low; };
function rangeOf(wanted) {
  const range = [Infinity, 0], widen = v => { range[0] = Math.min(range[0], v); range[1] = Math.max(range[1], v); };
  for (const item of items.filter(one => !one.hidden && wanted(one)))
    if (item.points && item.kind !== 'strips' && item.role !== 'slope') for (const point of shownOf(item)) widen(point[1]);
    else if (/^(rug|lane-bar)$/.test(item.role) && item.about && item.about.calls === 1) {
      if (inside(item.about.start)) widen(item.about.enter);
      if (inside(item.about.end)) widen(item.about.exit);
    }
  return range;
}
function rescaleMemory() {
  let range = rangeOf(item => !ofGroup(item.role));
  if (!isFinite(range[0])) range[0] = 0;
  range[1] = range[1] || 1 / 1024;
  const group = rangeOf(item => item.role === 'control-group'), limits = rangeOf(item => item.role === 'limit');
  const most = lengthOf(range) * (data.group ? Infinity : group[1] >= limits[0] * 0.9 ? 12 : 4);
  const fits = ([low, high]) => {
    const wider = [Math.min(range[0], low), Math.max(range[1], high)], good = lengthOf(wider) <= most;
    if (good) range = wider;
    return good;
  };
  const near = fits(group);
  for (const item of items)
    if (ofGroup(item.role)) item.away = !near || item.role === 'limit' && !fits(rangeOf(other => other === item));
  Object.assign(view, memoryAxis(range));
}
