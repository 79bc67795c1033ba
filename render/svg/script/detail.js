// Calls that were drawn as one box, or as a crowd, are drawn one by one where they are wide enough. The file
// has the numbers of up to 30,000 calls; which of them a box is of follows from its times and their number.
const DETAIL_MOST = 3000, DETAIL_PX = 3;
let details = []; // items of calls that are drawn one by one
let callRows = null; // calls of each lane and level, by start

function rowsOfCalls() {
  if (callRows) return callRows;
  const found = new Map(), numbers = numbersOfWindows();
  let stack = [], lane = -1;
  for (const call of numbers ? numbers.calls : []) {
    if (call.lane !== lane) { stack = []; lane = call.lane; }
    while (stack.length && stack[stack.length - 1] <= call.start && stack[stack.length - 1] < call.end) stack.pop();
    const key = `${lane} ${stack.length}`;
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(call);
    stack.push(call.end);
  }
  callRows = [...found.values()];
  for (const row of callRows) row.starts = Float64Array.from(row, call => call.start);
  return callRows;
}

// The calls between two moments of one row; null: they are not those of the box.
function callsOfBox(row, { start, end, calls, number }) {
  const near = 2 * timeStep, found = [];
  let count = 0;
  for (let i = firstFrom(row.starts, start - near); i < row.length && row[i].start <= end + near; i++) {
    if (row[i].end > end + near) return null;
    found.push(row[i]);
    count += row[i].count;
    if (count > calls) return null;
  }
  return count === calls && Math.abs(found[0].start - start) <= near && found.some(call => call.number === number) ? found : null;
}
function callsOfMerged(item) {
  if (item.calls === undefined) {
    item.calls = null;
    for (const row of rowsOfCalls()) if ((item.calls = callsOfBox(row, item.about))) break;
  }
  return item.calls;
}

// A crowd in a flame chart is of one function in one row of a lane.
function rowOfCrowd(item) {
  const { number, calls, start, end } = item.about, near = 2 * timeStep;
  return rowsOfCalls().find(row => {
    const own = row.filter(call => call.number === number);
    return own.reduce((sum, call) => sum + call.count, 0) === calls && Math.abs(own[0].start - start) <= near
      && Math.abs(Math.max(...own.map(call => call.end)) - end) <= near;
  }) || null;
}
// Crowds of one row of the picture, which lie on each other.
let crowds = null;
function crowdRows() {
  if (crowds) return crowds;
  crowds = [];
  if (!lanesHeight) return crowds;
  const floors = items.filter(one => one.role === 'density' && one.about && one.about.of)
    .map(item => ({ item, y: fullY(Math.min(...item.points.map(([, v]) => v))) })).sort((a, b) => b.y - a.y);
  while (floors.length) { // the lowest, and those that are stacked on it
    const [{ y }] = floors, count = floors.findIndex(one => one.y <= y - rowHeight), all = floors.splice(0, count < 0 ? floors.length : count).map(one => one.item);
    const row = all.map(item => / more functions/.test(item.about.text) ? null : rowOfCrowd(item)).find(Boolean);
    if (row) crowds.push({ items: all, y: tenth(y - rowHeight), height: rowHeight, row });
  }
  return crowds;
}

function addDetail(item, call, y, tall, role) {
  const x0 = Math.max(X(call.start), left), x1 = Math.min(X(call.end), right), one = functions[call.number];
  const gap = x1 - x0 >= 3 ? 1 : 0, box = item.kind === 'calls' ? role : x1 - x0 < 2.5 ? 'box-fine' : 'box';
  const node = add(detailLayer, 'rect', { class: `${box} c${one.colour}`, x: tenth(x0), y, width: tenth(Math.max(0.5, x1 - x0 - gap)), height: tall });
  const text = `${one.name}: ${duration(call.end - call.start)}, ${changed(call.exit - call.enter)} (${memory(call.enter)} \u2192 ${memory(call.exit)}) at ${duration(call.start)}`;
  const detail = { node, kind: item.kind, role: item.role, owner: null, x: x0, wide: x1 - x0 - gap, detail: true, tall,
    about: { of: one, number: call.number, calls: call.count, start: call.start, end: call.end, enter: call.enter, exit: call.exit, open: 0, bits: bits([call.number]), text } };
  node.setAttribute('aria-label', text);
  node.setAttribute('role', 'graphics-symbol');
  detail.hidden = isHiddenItem(detail);
  node.classList.toggle('hidden-item', detail.hidden);
  itemOf.set(node, detail);
  details.push(detail);
}

const isWide = calls => calls.length > 0 && (X(calls[calls.length - 1].end) - X(calls[0].start)) / calls.length >= DETAIL_PX;
const within = calls => calls.filter(call => call.end >= view.from && call.start <= view.to);

function clearDetails() {
  details.forEach(detail => itemOf.delete(detail.node));
  details = [];
  clear(detailLayer);
}
function drawDetails() {
  clearDetails();
  for (const item of boxes) {
    if (item.expanded && item.role === 'density') change(item.node, { display: null });
    item.expanded = false;
  }
  if (!data.window || data.window.bins) return;
  for (const item of boxes) {
    if (item.about.calls < 2 || !/^(rug|lane-bar|box|box-fine)$/.test(item.role) || !(item.wide >= 2 * DETAIL_PX) || item.hidden) continue;
    const calls = within(callsOfMerged(item) || []);
    if (isWide(calls)) expand([item], calls, +item.node.getAttribute('y'), +item.node.getAttribute('height'), item.role);
  }
  for (const { items: all, y, height: tall, row } of crowdRows()) {
    const calls = within(row);
    if (isWide(calls)) expand(all, calls, y, tall, 'box');
  }
}
function expand(all, calls, y, tall, role) {
  if (details.length + calls.length > DETAIL_MOST) return;
  for (const item of all) {
    item.expanded = true;
    change(item.node, { display: 'none' });
  }
  calls.forEach(call => addDetail(all[0].role === 'density' ? { kind: 'lanes', role: 'box' } : all[0], call, y, tall, role));
}
