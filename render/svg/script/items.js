// The elements on the time axis with their numbers: boxes, curves, and what was sampled together.
// The elements of all groups on the time axis, with their data.
const items = [], itemOf = new Map();
{
  const read = reader(data.items);
  let about = 0, t = 0, v = 0;
  const place = () => [from + (t += read.signed()) * timeStep, low + (v += read.signed()) * memoryStep];
  let floorY = 0; // of the strip that is read
  for (const kind of ['curves', 'marks', 'names', 'strips', 'calls', 'lanes'])
    for (const node of group(kind) ? [...group(kind).children] : []) {
      const item = { node, kind, role: node.classList[0], owner: null }, step = read.next();
      if (step) {
        item.about = abouts[about += step % 2 ? (step - 1) / 2 : -step / 2];
        const title = node.querySelector('title');
        if (title) { item.about.text = title.textContent; title.remove(); }
      }
      if ((kind === 'curves' || kind === 'strips') && node.localName === 'path') {
        const length = read.next(), ends = length > 1 ? read.next() : 0;
        item.points = length === 1 ? pathPoints(node) : Array.from({ length }, place);
        if (kind === 'curves') for (const point of item.points) point[1] = memoryAt(point[1]);
        item.rounded = length === 1; // to a tenth of a pixel
        item.points.cut = ends; // bits: the first, the last point is no sample
        item.filled = /^(area|total|strip-area)$/.test(item.role); // down to the floor
        if (item.filled) item.points.splice(-2);
        if (item.role === 'lane-rule') floorY = fullY(item.points[0][1]) - 0.5;
        item.floor = kind === 'strips' ? floorY : floor;
        if (item.role === 'density' && item.about) item.about.density = true;
      }
      else if (kind === 'curves' || kind === 'marks')
        [item.t, item.v] = (([t, v]) => [t, memoryAt(v)])(place());
      if (kind === 'lanes')
        item.owner = item.about ? item : items[items.length - 1].owner;
      items.push(item);
      itemOf.set(node, item);
    }
  if (read.more()) throw edited;
}
const boxes = items.filter(item => item.about && (item.kind === 'calls' || item.kind === 'lanes' || item.role === 'density'));
const topOf = item => item.role === 'density' ? fullY(Math.min(...item.points.map(([, v]) => v))) - rowHeight : +item.node.getAttribute('y');
// Calls with brackets where these have room, the longest first.
const bracketed = boxes.filter(item => item.role === 'rug' && item.about.calls === 1)
  .sort((a, b) => (b.about.end - b.about.start) - (a.about.end - a.about.start));

// Curves, in pieces because of pauses. The first is that of MEM; kinds of memory and the control
// group follow, then processes.
const series = [], ofGroup = role => role === 'control-group' || role === 'limit';
for (const item of items) {
  if (!/^(curve|child|sample|layer|kind|control-group|limit|strip$|worst|band-edge)/.test(item.role)) continue;
  if (item.role === 'sample' && !item.about && series.some(other => other.about && !other.rank)) continue;
  let one = series.find(other => other.about === item.about);
  if (!one) series.push(one = { about: item.about, pieces: [], role: item.role, rank: /^(curve|sample)/.test(item.role) ? 0 : /^(child|layer|strip)/.test(item.role) ? 2 : 1, tone: item.node.classList[1], floor: item.floor });
  // The height of a layer is the distance of its edges; the lower one runs backwards.
  // An end at the edge of the window that is no sample is drawn, and not in tooltips.
  const all = item.points || [[item.t, item.v]], ends = all.cut || 0;
  const points = ends ? all.slice(ends & 1, all.length - (ends >> 1)) : all, last = points.length - 1;
  one.pieces.push(item.role === 'layer' ?
    points.slice(0, points.length / 2).map(([t, v], i) => [t, v - points[last - i][1], v]) :
    item.role === 'strip' ? points.map(([t, v]) => [t, (item.floor - fullY(v)) * data.strip]) : points);
}
series.sort((a, b) => a.rank - b.rank);

// What was sampled together: time, sum, and [track, value] of each process but the main one, which
// is the rest of the sum. rest 1: it is unknown, and the sum is at least this; 2: it has ended.
const tracks = (data.tracks || []).map(([kind, name, recording]) => ({ kind, name, recording, series: series.find(one => one.about && one.about.text === name) }));
const ticks = [];
if (data.ticks) {
  const read = reader(data.ticks), mains = tracks.filter(track => !track.kind);
  for (let n = read.next(), time = 0, total = 0, main = null; n > 0; n--) {
    const step = read.next();
    if (step % 12 > 5) main = mains.shift();
    ticks.push({ t: from + (time += Math.floor(step / 12)) * timeStep, rest: step % 3, gap: step % 6 > 2, main, total: low + (total += read.signed()) * memoryStep, values: [] });
  }
  for (const track of tracks.filter(one => one.kind))
    for (let runs = read.next(), i = 0, value = 0; runs > 0; runs--) {
      i += read.next();
      for (let length = read.next(); length > 0; length--) ticks[i++].values.push([track, low + (value += read.signed()) * memoryStep, track.kind === 3 ? read.next() : 1]);
    }
}
items.forEach((item, i) => { if (item.filled && !item.points.length) item.points = items[i + 1].points; });
// Crosses and names move with the dot next to them.
items.filter(item => item.kind === 'marks').forEach((item, i, marks) => {
  const far = /^peak$/.test(item.role) ? marks.slice(i, i + 3).find(other => other.node.localName === 'circle')
    : item.node.localName === 'text' ? marks[i - 1] : null;
  item.dot = far;
  item.level = item.role === 'peak' && marks[i + 1].role === 'peak';
  item.crossed = item.role === 'peak-name' && i > 1 && marks[i - 2].role === 'peak';
});
