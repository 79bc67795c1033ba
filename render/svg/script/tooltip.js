// What is shown at a moment, or of a call.
// The point of a curve nearest to a moment, and the range of its pixel column.
function nearest(one, t) {
  let best = null, distance = Infinity;
  for (const piece of one.pieces) {
    if (!piece.length) continue;
    let a = 0, b = piece.length - 1;
    while (b - a > 1) { const half = (a + b) >> 1; if (piece[half][0] < t) a = half; else b = half; }
    for (const i of [a, b]) if (Math.abs(piece[i][0] - t) < distance) {
      distance = Math.abs(piece[i][0] - t);
      best = { piece, i };
    }
  }
  if (!best) return null;
  if (ofGroup(one.role) && distance > 4 * (view.to - view.from) / width) return held(best.piece, t);
  const { piece, i } = best, between = t > piece[0][0] && t < piece[piece.length - 1][0], column = Math.floor(X(piece[i][0]));
  if (!between && distance > 8 * (view.to - view.from) / width) return null;
  let least = piece[i][1], most = least;
  for (const step of [-1, 1])
    for (let j = i + step; j >= 0 && j < piece.length && Math.floor(X(piece[j][0])) === column; j += step) {
      least = Math.min(least, piece[j][1]);
      most = Math.max(most, piece[j][1]);
    }
  return { t: piece[i][0], v: piece[i][1], y: one.role === 'strip' ? one.floor - piece[i][1] / data.strip : Y(piece[i][2] || piece[i][1]), least, most };
}

// The tick of a moment: the one with the highest sum in its pixel column, else the nearest.
function tickAt(t) {
  const columnOf = moment => Math.floor(X(moment) + 1e-6), column = columnOf(t), pixel = (view.to - view.from) / width;
  let a = 0, b = ticks.length - 1, best = null;
  while (b - a > 1) { const half = (a + b) >> 1; if (ticks[half].t < t) a = half; else b = half; }
  for (const [begin, step] of [[a, -1], [a + 1, 1]])
    for (let i = begin; ticks[i] && columnOf(ticks[i].t) === column; i += step)
      if (!best || ticks[i].total > best.total) best = ticks[i];
  if (best) return best;
  const near = Math.abs(ticks[a].t - t) <= Math.abs(ticks[b].t - t) ? ticks[a] : ticks[b];
  const bridged = t > ticks[a].t && t < ticks[b].t && !ticks[b].gap;
  return bridged || Math.abs(near.t - t) <= 8 * pixel ? near : null;
}

// Of several recordings, the sample nearest to the moment.
const closest = (points, t) => points.reduce((a, b) => a && Math.abs(a.t - t) <= Math.abs(b.t - t) ? a : b, null);
const pointOf = (t, v, y = Y(v)) => ({ t, v, y, least: v, most: v });

// The numbers of a tick: its sum, then kinds of memory and the control group, then its processes.
function tickLines(tick, points, t, room) {
  const lines = [], line = (name, point, tone, sign = '', after = '') =>
    lines.push({ text: `${name}${name ? '  ' : ''}${sign}${rangeText(point)}${after}`, tone, point, name: after ? undefined : name || 'memory' });
  const rest = tick.rest === 1 ? '\u2265 ' : '', curve = points[0];
  line(tick.main.recording || (data.sum ? '' : 'all processes'), pointOf(tick.t, tick.total, data.sum ? undefined : null), undefined, rest);
  if (data.sum && curve && curve.most > curve.least && Math.floor(X(curve.t)) === Math.floor(X(tick.t)))
    line('', { ...curve, y: null }, undefined, '', ' within this pixel');
  // A call may have proved more between two ticks, where no sample is.
  const between = data.sum && data.all && nearest(series[0], t);
  if (between && Math.abs(X(between.t) - X(t)) < 4 && between.v > tick.total + memoryStep && Math.floor(X(between.t)) !== Math.floor(X(tick.t))
    && ticks.every(other => Math.abs(other.t - between.t) > 3 * timeStep))
    line('', pointOf(between.t, between.v), undefined, '\u2265 ', ` at ${moment(between.t)}, in a call`);
  series.forEach((one, i) => {
    const own = tick.values.find(([track]) => track.series === one), point = own ? pointOf(tick.t, own[1]) : points[i];
    if (one.rank !== 1 || !point) return;
    const other = !ofGroup(one.role) && Math.abs(point.t - tick.t) > 3 * timeStep ? ` at ${moment(point.t)}` : '';
    line(one.about.text, point, one.role === 'limit' ? 'bound' : one.tone || '', '', other);
  });
  const parts = tick.values.filter(([track]) => track.kind & 1 && !(track.series && track.series.hidden));
  if (!tick.rest) parts.unshift([tick.main, parts.reduce((left, [, v]) => left - v, tick.total)]);
  parts.sort((a, b) => b[1] - a[1]);
  const most = parts.length > room ? room - 1 : room;
  for (const [track, v, count] of parts.slice(0, most)) {
    const one = track.series, layer = one && one.role === 'layer' && points[series.indexOf(one)];
    const y = layer ? layer.y : one && one.role === 'strip' ? one.floor - v / data.strip
      : one && one.role !== 'layer' || !track.kind && !data.sum ? Y(v) : null;
    const name = track.kind === 3 ? track.name.replace(/ \u00d7[\d,]+$/, '') + (count > 1 ? ` \u00d7${counted(count)}` : '') : track.name;
    line(name, pointOf(tick.t, v, y), track.series ? track.series.tone || '' : '');
  }
  const others = parts.slice(most);
  if (others.length) line(`+ ${others.length} more`, pointOf(tick.t, others.reduce((sum, [, v]) => sum + v, 0), null));
  if (tick.rest === 1) lines.push({ text: `${tick.main.name}  unknown`, tone: '' });
  return lines;
}

// The value of a step line, which holds between its points.
function held(piece, t) {
  const after = piece.findIndex(point => point[0] >= t), b = piece[after], a = piece[after - 1] || b;
  if (!b || t < piece[0][0]) return null;
  const v = b[0] > a[0] ? a[1] + (b[1] - a[1]) * (t - a[0]) / (b[0] - a[0]) : b[1], y = Y(v);
  return { t, v, y: y < top ? null : y, least: v, most: v };
}

function rangeText(point) {
  const least = memory(point.least), most = memory(point.most);
  const [number, unit] = least.split(' ');
  return least === most ? most : `${most.endsWith(unit) ? number : least} \u2013 ${most}`;
}

function callLines(about) {
  const count = about.calls > 1 && !about.density ? `${counted(about.calls)} calls, the longest ` : '';
  const rest = about.text.slice(about.text.indexOf(about.of.name) + about.of.name.length);
  return [count + about.of.name, ...rest.replace(/^\u2069?: /, '').split(' \u00b7 ')];
}

// The share of its column that a function ran.
function shareAt(item, t) {
  let upper = Infinity, lower = -Infinity;
  item.points.forEach(([t1, v], i) => {
    const [t0] = item.points[i ? i - 1 : item.points.length - 1];
    if (t0 === t1 || Math.min(t0, t1) > t || Math.max(t0, t1) <= t) return;
    upper = Math.min(upper, fullY(v));
    lower = Math.max(lower, fullY(v));
  });
  return Math.max(0, Math.min(1, tenth(lower - upper + 0.001) > 0 ? (lower - upper) / rowHeight : 0));
}
function shareText(item, t) {
  const share = shareAt(item, t);
  return !item.rounded ? percent(share) : share > 0 && share < 0.01 ? '< 1 %' : fixed(share * 100, 0) + ' %';
}

// What runs at a moment, of one box.
function runningText(box, t) {
  const call = box.about;
  if (call.density) return `${call.of.label}  ${shareText(box, t)} of the time`;
  if (box.role === 'at-once') return callLines(call).slice(0, 2).join('  ').replace(/ at \S+ \S+ for .*/, '');
  return call.calls > 1 ? callLines(call)[0] : `${call.of.label}  ${lasted(call)}  ${changed(call.exit - call.enter)}${call.open ? ', never returned' : ''}`;
}

// The size of a panel of lines of [text, class, colour, exact memory]; long lines are cut.
function panelSize(lines, { rows = Infinity, foot = 0 } = {}) {
  let wide = 0;
  lines.forEach(line => {
    line[0] = fit(line[0], 'tip', 460) || line[0];
    wide = Math.max(wide, textWidth(line[0], line[1]) * (line[1] === 'tip head' ? 1.08 : 1) + (line[2] !== undefined ? 12 : 0));
  });
  return { width: wide + (lines.length > rows ? 26 : 16), height: Math.min(lines.length, rows) * 15 + 10 + foot };
}

// Draws a panel at `at`, or next to x, y; returns its box. rows: of more lines only those from `first` on,
// with a bar that shows which.
function drawPanel(parent, lines, x, y, { rows = Infinity, first = 0, foot = 0, at = null } = {}) {
  const shown = lines.slice(first, first + rows), scrolls = lines.length > rows;
  const { width: wide, height: tall } = panelSize(lines, { rows, foot }), box = root.viewBox.baseVal;
  const px = at ? at.x : x + 14 + wide > box.width ? Math.max(2, x - 14 - wide) : x + 14;
  const py = at ? at.y : Math.max(2, Math.min(y + 12, box.height - tall - 2));
  add(parent, 'rect', { class: 'part panel', x: tenth(px), y: tenth(py), width: tenth(wide), height: tall, rx: 4 });
  shown.forEach(([text, className, tone, mib], i) => {
    const marked = tone !== undefined, y = tenth(py + 18 + i * 15);
    if (marked) add(parent, 'rect', { class: 'part mark ' + tone, x: tenth(px + 8), y: y - 8, width: 8, height: 8 });
    const exact = mib === undefined ? {} : { 'data-mib': mib };
    add(parent, 'text', { class: 'part ' + className, x: tenth(px + (marked ? 20 : 8)), y, ...exact }, text);
  });
  if (scrolls) {
    const track = tall - foot - 10, bar = Math.max(12, track * rows / lines.length);
    add(parent, 'rect', { class: 'part thumb', x: tenth(px + wide - 7), y: tenth(py + 5 + (track - bar) * first / (lines.length - rows)), width: 4, height: tenth(bar), rx: 2 });
  }
  return { x: px, y: py, width: wide, height: tall };
}

// What is known of a moment, and of the call under the pointer or with the focus: lines of text, the
// memory of each name, dots on the curves. At most `room` processes and functions have a line.
function describe(t, item, room = 12) {
  const tick = ticks.length ? tickAt(t) : null;
  const points = series.map(one => one.hidden || ticks.length && !tick && !ofGroup(one.role) ? null : nearest(one, tick ? tick.t : t));
  const lines = [], memories = new Map(), dots = [], at = tick || closest(points.filter((point, i) => point && !series[i].rank), t) || points.find(point => point);
  const exact = at && Math.abs(X(at.t) - X(t)) < 8 ? at.t : t;
  const call = item && item.about && item.about.of ? item.about : null;
  if (call) {
    const [head, ...rest] = callLines(call);
    lines.push([head, 'tip head', item.node.classList[1]], ...rest.map(text => [text, 'tip']));
    if (call.density) lines.push([`here ${shareText(item, t)} of the time`, 'tip']);
  }
  if (inside(exact)) {
    const clock = dated ? `  ${local(exact).toISOString().slice(11, to - from < 60 ? 23 : 19)}` : '';
    lines.push([moment(exact) + clock, item && item.about ? 'tip' : 'tip head']);
    if (at && exact !== at.t) lines.push([`sampled at ${moment(at.t)}`, 'tip']);
    // What ran at the peak, in the words of its label.
    if (data.peak && Math.abs(exact - data.peak[0]) <= 2 * timeStep) lines.push([data.peak[1], 'tip']);
    const values = tick ? tickLines(tick, points, t, room) : points.map((point, i) => [point, series[i]]).filter(([point]) => point)
      .sort((a, b) => a[1].rank - b[1].rank || b[0].v - a[0].v).map(([point, one]) => ({
        text: (one.about ? one.about.text + '  ' : '') + rangeText(point) + (ofGroup(one.role) || Math.abs(X(point.t) - X(at.t)) < 8 ? '' : ` at ${moment(point.t)}`), point,
        name: one.about ? one.about.text : 'memory', tone: one.role === 'limit' ? 'bound' : one.about ? one.tone || '' : undefined }));
    if (!tick && values.length > room) values.splice(room - 1, Infinity, { text: `+ ${values.length - room + 1} more` });
    for (const { text, point, tone, name } of values) {
      if (point && tone !== 'bound' && point.y !== null && point.y >= top - 1 && inside(point.t)) dots.push({ tone: tone || '', x: X(point.t), y: point.y });
      if (point && name && !memories.has(name)) memories.set(name, point.v);
      lines.push([text, 'tip', tone, point && point.v]);
    }
  }
  if (!(item && item.about)) {
    const running = [...boxes, ...details].filter(box => !box.hidden && !box.expanded && box.about.start <= exact && box.about.end >= exact && (!box.about.density || shareAt(box, exact) > 0));
    for (const box of running.slice(0, Math.max(10, room - 2))) lines.push([runningText(box, exact), 'tip', box.node.classList[1]]);
    if (running.length > Math.max(10, room - 2)) lines.push([`+ ${running.length - Math.max(10, room - 2)} more`, 'tip']);
  }
  return { t: exact, lines, memories, dots, call };
}

function drawMoment(parent, { t, dots, call }) {
  if (call) {
    const x0 = Math.max(left, X(call.start)), x1 = Math.min(right, X(call.end));
    add(parent, 'rect', { class: 'part shade', x: tenth(x0), y: top, width: tenth(Math.max(1, x1 - x0)), height: height });
  }
  if (inside(t)) add(parent, 'path', { class: 'part hair', d: `M${tenth(X(t))} ${top}V${below}` });
  for (const { tone, x, y } of dots) add(parent, 'circle', { class: 'part point ' + tone, cx: tenth(x), cy: tenth(y), r: 3 });
}

let hovered = null; // the moment that the tooltip is of: { t, item, y }

function hover(t, item, y) {
  clear(readout);
  hovered = t === null ? null : { t, item, y };
  if (t === null) return;
  const found = describe(t, item);
  drawMoment(readout, found);
  drawPanel(readout, found.lines, X(found.t), y);
}
