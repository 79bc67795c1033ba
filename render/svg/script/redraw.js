// Moves the elements of the picture to where the view has them.
function redrawCurve(item) {
  if (!item.points) return item.node.localName === 'text' ? change(item.node, { display: 'none' }) : redrawMark(item);
  const points = shownOf(item), first = points[0], last = points[points.length - 1];
  if (ofGroup(item.role)) change(item.node, { display: item.away ? 'none' : null });
  change(item.node, { d: path(points, item.role === 'layer' ? 'z' : item.filled && first ? `L${tenth(X(last[0]))} ${floor}L${tenth(X(first[0]))} ${floor}z` : '') });
}

// Strips and rows of density keep their height.
function redrawStrip(item) {
  if (/^(lane-rule|whole)$/.test(item.role)) return;
  const closed = item.role === 'density', points = shown(item.points, closed), first = points[0], last = points[points.length - 1];
  const lines = points.length < 2 ? '' : pathOf(points, fullY);
  change(item.node, { d: lines + (!lines ? '' : closed ? 'z' : item.filled ? `L${tenth(X(last[0]))} ${item.floor}L${tenth(X(first[0]))} ${item.floor}z` : '') });
}

// A line across the plot, its label, or the tint above a limit, which is not drawn for a part.
function redrawNote(item, at, dx, dy) {
  const upright = at.role === 'note-mark', seen = upright ? inside(at.t) : at.v >= view.low && at.v <= view.high;
  change(item.node, { display: seen && item.role !== 'note-area' ? null : 'none',
    transform: upright ? `translate(${tenth(dx)} 0)` : `translate(0 ${tenth(dy)})` });
}
function redrawMark(item) {
  const at = item.dot || item, dx = X(at.t) - X(at.t, full), dy = Y(at.v) - Y(at.v, full);
  const values = { display: inside(at.t) && item.role !== 'bracket' ? null : 'none' };
  if (/^note/.test(at.role)) return redrawNote(item, at, dx, dy);
  if (item.node.localName === 'circle') Object.assign(values, { cx: tenth(X(at.t)), cy: tenth(Y(at.v)) });
  else if (item.role === 'peak') values.transform = item.level ? `translate(0 ${tenth(dy)})` : `translate(${tenth(dx)} 0)`;
  else if (item.node.localName === 'text') {
    const wide = textWidth(item.node.textContent, item.role), x = X(at.t);
    if (item.crossed) values.x = tenth(Math.max(left, Math.min(x - wide / 2, right - wide)));
    else values.transform = `translate(${tenth(dx)} ${tenth(dy)})`;
  } else values.transform = `translate(${tenth(dx)} ${tenth(dy)})`;
  change(item.node, values);
}

// Half of the time in which a sampled call may have begun, in pixels; less than would be seen: 0.
function slantOf(item) {
  const half = item.kind === 'lanes' && item.about.calls === 1 && item.about.sampled ? item.about.sampled / (view.to - view.from) * width : 0;
  return 2 * half < 3 ? 0 : half;
}
// The slanted edges of a box: at the top where the call certainly ran, at the bottom where it may have.
function drawWings(item) {
  const slant = item.wide && !item.hidden && !item.expanded ? slantOf(item) : 0, tone = item.node.classList[1];
  if (!slant) return;
  const [y, tall] = ['y', 'height'].map(name => +item.node.getAttribute(name)), foot = tenth(y + tall), x0 = item.x, x1 = x0 + item.wide, cover = Math.min(2, item.wide);
  const put = (role, points) => itemOf.set(add(wings, 'path', { class: `${role} ${tone}`, d: `M${points.slice(0, 2).map(x => `${tenth(x)} ${y}`).join('L')}L${points.slice(2).map(x => `${tenth(x)} ${foot}`).join('L')}z` }), item);
  const first = Math.max(x0 - 2 * slant, left), last = Math.min(x1 + 2 * slant, right);
  if (item.about.start >= view.from) {
    put('box-wing', [x0, x0 + cover, x0 + cover, first]);
    put('box-edge', [x0, x0 + 3, first + 3, first]);
  }
  if (item.about.end <= view.to) put('box-wing', [x1 - cover, x1, last, x1 - cover]);
}

// Ticks on the calls that ran at the peak.
function movePeakTicks() {
  const ticks = group('peak-ticks'), [at] = data.peak || [];
  if (ticks) change(ticks, { transform: `translate(${tenth(X(at) - X(at, full))} 0)`, display: inside(at) ? null : 'none' });
}

// Where the last bar of each row ends: a wide bar keeps one pixel clear of it.
const ends = new Map();
function redrawBox(item) {
  const { about, node } = item.owner || item, tone = node.classList[1], row = item.kind === 'calls' && node.getAttribute('y');
  let x0 = Math.max(X(about.start), left);
  const x1 = Math.min(X(about.end), right);
  if (row && item.role !== 'at-once') x0 = Math.max(x0, (ends.has(row) ? ends.get(row) : -Infinity) + (x1 - x0 > 3 ? 1 : 0));
  const wide = x1 - x0 - (x1 - x0 >= 3 ? 1 : 0), visible = x1 >= left && x0 <= right;
  if (!visible) {
    item.wide = 0;
    change(item.node, { display: 'none' });
  } else if (!item.owner || item === item.owner) {
    const slant = slantOf(item);
    if (slant) {
      const begin = x0 + (about.start >= view.from ? slant : 0), finish = x1 - (about.end <= view.to ? slant : 0), middle = (begin + finish) / 2;
      item.x = Math.min(begin, middle - 0.25);
      item.wide = Math.max(finish - begin, 0.5);
      return change(node, { x: tenth(item.x), width: tenth(item.wide), display: null, class: 'box ' + tone });
    }
    item.x = x0;
    item.wide = Math.max(item.role === 'at-once' ? x1 - x0 : wide, item.kind === 'lanes' ? 1 : 0.5);
    ends.set(row, x0 + item.wide);
    const role = item.kind === 'lanes' ? item.wide < 2.5 ? 'box-fine ' : 'box ' : item.role + ' ';
    change(node, { x: tenth(Math.min(x0, right - 1)), width: tenth(item.wide), display: null, class: role + tone });
  } else if (item.role === 'box-wing' || item.role === 'box-edge' && item.node.localName === 'path') change(item.node, { display: 'none' });
  else if (item.role === 'box-edge')
    change(item.node, { x: tenth(x0), display: wide >= 6 && about.start >= view.from ? null : 'none' });
  else if (item.role === 'box-open')
    change(item.node, { transform: `translate(${tenth(x0 + wide - (X(about.end, full) - 1))} 0)`, display: wide >= 6 && about.end <= view.to ? null : 'none' });
}
