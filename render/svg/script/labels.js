// Captions of boxes, brackets, names of curves, and the axes of a part of the time.
// Name, duration and change of memory, as many as fit; else the beginning of the name.
function caption(about, room) {
  const label = about.of.label, time = lasted(about);
  const texts = about.calls > 1 ? [`${label}  \u00d7${about.calls}`, label]
    : [`${label}  ${time}  ${changed(about.exit - about.enter)}`, `${label}  ${time}`, label];
  return texts.find(text => textWidth(text, 'box-name') <= room) || fit(label, 'box-name', room);
}

// As in flame_chart.c: beside the tick of the peak, unless only the whole box has room for name and duration.
function captionPlace(item, tall) {
  const start = item.x + 8, room = item.wide - 13, [peak] = data.peak || [], at = X(peak), y = +item.node.getAttribute('y');
  const ticks = group('peak-ticks'), tick = ticks && inside(peak) && [...ticks.children].find(node => +node.getAttribute('y') === y);
  if (!tick || at + 1.5 <= start || at - 1.5 >= item.x + item.wide) return [[start, room]];
  const { label } = item.about.of, name = textWidth(label, 'box-name'), timed = item.about.calls > 1 ? name : textWidth(`${label}  ${lasted(item.about)}`, 'box-name');
  const before = at - 2.5 - 5 - start, right = at + 6.5, after = item.x + item.wide - 5 - right;
  const beside = Math.max(before, after), over = tall >= 16 && (name > beside || timed > beside && timed <= room);
  change(tick, { height: over ? 4 : tall });
  return over ? [[start, room]] : [[start, before], [right, after]];
}

function drawCaptions() {
  for (const item of [...boxes, ...details]) {
    const tall = +item.node.getAttribute('height');
    if (item.expanded || item.hidden || item.kind !== 'lanes' || tall < 13 || item.wide < 19) continue;
    const places = captionPlace(item, tall), text = caption(item.about, Math.max(...places.map(([, room]) => room)));
    const [x] = places.find(([, room]) => textWidth(text, 'box-name') <= room) || places[0];
    if (text) itemOf.set(add(captions, 'text', { class: 'box-name', 'xml:space': 'preserve', x: tenth(x), y: +item.node.getAttribute('y') + tall / 2 + 4 }, text), item);
  }
}

// As in brackets.c: the longest calls whose brackets stand clear of those of longer ones.
let drawn = [];
function drawBrackets() {
  const placed = [], highest = Math.min(...bracketed.map(topOf));
  drawn = [];
  for (const item of bracketed.filter(one => !one.hidden)) {
    const { start, end, enter, exit, open } = item.about, edges = [];
    if (X(Math.min(end, view.to)) - X(Math.max(start, view.from)) < 24) continue;
    if (inside(start)) edges.push([X(start), Y(enter), 1]);
    if (inside(end) && !open) edges.push([X(end), Y(exit), -1]);
    if (edges.some(([x]) => placed.some(other => Math.abs(other - x) < 12))) continue;
    const half = Math.max(5, 10.5 - 1.5 * (topOf(item) - highest) / 4), arm = half * 0.45;
    for (const [x, at, side] of edges) {
      const y = Math.min(at, floor - half), tip = tenth(x + side * arm);
      placed.push(x);
      const node = add(marks, 'path', { class: `bracket ${item.node.classList[1]}`, d: `M${tip} ${tenth(y - half)}H${tenth(x)}V${tenth(y + half)}H${tip}` });
      itemOf.set(node, item);
    }
    if (edges.length) drawn.push({ about: item.about, node: item.node, item, edges });
  }
}

// Labels of visible brackets, the longest calls first, where there is room.
function drawNames() {
  const taken = drawn.flatMap(one => one.edges).map(([x, y]) => ({ x: x - 8, y: y - 11, w: 16, h: 22 }));
  const hits = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  const lines = items.filter(item => /^(curve|kind|control-group|limit)/.test(item.role) && item.points && !item.away && !item.hidden).map(item => item.shown);
  const onCurve = box => lines.some(line => {
    const ys = cut(cut(line, timeAt(box.x), 1), timeAt(box.x + box.w), -1).map(([, v]) => Y(v));
    return Math.min(...ys) < box.y + box.h + 3 && Math.max(...ys) > box.y - 3;
  });
  function label(x, y, text, className, owner, places = (x, y, w) => [[x - 4, y - 26], [x + 8, y - 7], [x - 4, y + 13], [x - w, y - 26], [x - w - 8, y - 7]]) {
    const w = textWidth(text, className.split(' ')[0]);
    for (const [bx, by] of places(x, y, w)) {
      const box = { x: bx - 2, y: by, w: w + 4, h: 13 };
      if (bx < left || bx + w > right || by < top || by + 13 > floor || taken.some(other => hits(box, other)) || onCurve(box)) continue;
      taken.push(box);
      itemOf.set(add(names, 'text', { class: className, x: tenth(bx), y: tenth(by + 10) }, text), owner);
      return true;
    }
    return false;
  }
  // Where the layer is thickest along the whole name, as in process_stack.c.
  function nameLayer(one) {
    const text = one.about.text, w = textWidth(text, 'box-name');
    let best = null, thickest = 14;
    for (const piece of one.pieces) {
      const after = t => { let a = 0, b = piece.length; while (a < b) { const half = (a + b) >> 1; if (piece[half][0] < t) a = half + 1; else b = half; } return a; };
      const edges = t => {
        const i = after(t), p = piece[i - 1] || piece[i], q = piece[i] || p, share = q[0] > p[0] ? (t - p[0]) / (q[0] - p[0]) : 0;
        return [t, p[1] + (q[1] - p[1]) * share, p[2] + (q[2] - p[2]) * share];
      };
      for (let x = left + 6; x + w < right - 6; x += Math.max(6, w / 4)) {
        const from = timeAt(x), to = timeAt(x + w);
        if (from < piece[0][0] || to > piece[piece.length - 1][0]) continue;
        const along = [edges(from), ...piece.slice(after(from), after(to)), edges(to)];
        const upper = Math.max(...along.map(([, , v]) => Y(v))), lower = Math.min(...along.map(([, v, sum]) => Y(sum - v)));
        const box = { x: x - 2, y: (upper + lower) / 2 - 6.5, w: w + 4, h: 13 };
        if (lower - upper > thickest && !taken.some(other => hits(box, other))) [thickest, best] = [lower - upper, box];
      }
    }
    if (!best) return;
    taken.push(best);
    add(names, 'text', { class: 'box-name', x: tenth(best.x + 2), y: tenth(best.y + 10.5) }, text);
  }
  // A limit is labelled at the right end of each of its steps, or at the left end.
  for (const item of items.filter(other => other.role === 'limit' && !other.away))
    item.shown.forEach(([t, v], i, steps) => {
      const begin = i && steps[i - 1][1] === v ? X(steps[i - 1][0]) : X(t);
      if (X(t) > begin) label(X(t), Y(v), `limit ${memory(v)}`, 'limit-name', null, (x, y, w) =>
        [[x - w - 6, y - 17], [x - w - 6, y + 4], [begin + 6, y - 17], [begin + 6, y + 4]].filter(([at]) => at >= begin && at + w <= x));
    });
  drawn.slice(0, 200).forEach(({ about, node, item, edges: [[x, y]] }) =>
    label(x, y, `${about.of.label} ${lasted(about)}${about.open ? ' \u2026' : ''}`, `bracket-name ${node.classList[1]}`, item));
  for (const one of [...series.filter(other => /^(kind|control-group)/.test(other.role)), ...series.filter(other => other.rank === 2 && other.role !== 'strip').slice(-8)]) {
    if (one.hidden || items.some(item => item.about === one.about && item.away)) continue;
    const points = one.pieces.flatMap(piece => piece.filter(([t]) => inside(t))), stride = Math.ceil(points.length / 20);
    const peak = points.reduce((a, b) => a && a[1] >= b[1] ? a : b, null);
    if (one.role === 'layer') nameLayer(one);
    else if (one.rank === 2) { if (peak) label(X(peak[0]), Y(peak[1]) + 10, one.about.text, `child-name ${one.tone || ''}`, null); }
    else [...points.filter((point, i) => i % stride === 0), peak].reverse().some(point => point && label(X(point[0]), Y(point[1]) + 10,
      one.about.text.replace(/^.*  |(, sum)? of .*$/g, ''), `${one.role}-name ${one.tone || ''}`, null));
  }
}

const labelY = +(group('time-axis').querySelector('text') || { getAttribute: () => below + tickY }).getAttribute('y');
function drawAxes() {
  for (const [v, text] of memoryTicks()) {
    const y = Math.floor(Y(v)) + 0.5;
    if (Y(v) < floor - 1) add(axes, 'path', { class: 'grid', d: `M${left} ${y}H${right}` });
    if (tickGap) add(axes, 'text', { class: 'tick', 'text-anchor': 'end', x: left - tickGap, y: tenth(Y(v) + (small ? 3.5 : 4)) }, text);
  }
  add(axes, 'path', { class: 'axis', d: `M${left} ${floor + 0.5}H${right}` });
  for (const [t, text] of timeTicks()) {
    const x = Math.floor(X(t)) + 0.5, half = textWidth(text, 'tick') / 2, margin = (root.viewBox.baseVal.width - right) / 4;
    const last = right + margin * 3, end = X(t) + half > last, begin = X(t) - half < margin;
    add(axes, 'path', lanesHeight ? { class: 'grid', d: `M${x} ${floor + 1.5}V${below}` } : { class: 'axis', d: `M${x} ${labelY - tickY}v4` });
    add(axes, 'text', { class: 'tick', 'text-anchor': end ? 'end' : begin ? 'start' : 'middle', x: tenth(end ? last : begin ? margin : X(t)), y: labelY }, text);
  }
}
