// The legend: of the part of the time that is shown or selected, and where functions and processes are
// hidden. Its tables keep the places of the picture's own.
const legend = group('legend');
const tables = []; // of the picture: { heads: [{ text, x, node }], blocks: [{ x, y, rows }], name }

// In drawing order: for each block of a table its heads, a rule, and rows of swatch, name and cells.
if (legend) {
  let block = null;
  for (const node of legend.children) {
    const role = node.classList[0], x = +node.getAttribute('x'), y = +node.getAttribute('y');
    if (role === 'legend-head' && !node.hasAttribute('text-anchor')) {
      const table = tables[tables.length - 1], next = { x, y, heads: [{ text: node.textContent, x, node }], rows: [], rule: null };
      if (table && table.name === node.textContent) table.blocks.push(next);
      else tables.push({ name: node.textContent, blocks: [next] });
      block = next;
    } else if (!block) continue; // the key of a small page
    else if (role === 'legend-head') block.heads.push({ text: node.textContent, x, node });
    else if (role === 'legend-rule') block.rule = node;
    else if (/^swatch/.test(role)) block.swatch = node;
    else if (role === 'legend-name') { block.rows.push({ swatch: block.swatch, name: node, text: node.textContent, cells: [] }); block.swatch = null; }
    else if (role === 'legend-cell') block.rows[block.rows.length - 1].cells.push(node);
    else if (role === 'legend-more') block.more = node;
  }
}
const legendLines = Math.max(1, ...tables.flatMap(table => table.blocks.map(block => block.rows.length + (block.more ? 1 : 0))));
const hidden = new Set(); // 'function NAME', 'process NAME'
const keyOf = entry => entry.number !== undefined ? 'function ' + functions[entry.number].name : 'process ' + entry.row.name;

// ---- rows of a part of the time ----

const roughly = (estimated, text) => (estimated ? '\u2248 ' : '') + text;
const finite = (value, text) => value === undefined || !isFinite(value) ? '' : text(value);

function functionCells(sum) {
  const rough = data.window.bins > 0;
  return { calls: roughly(rough, counted(sum.calls)), total: roughly(rough, duration(sum.total)), longest: roughly(rough, duration(sum.longest)),
    '\u0394 memory': roughly(rough, changed(sum.change)), peak: finite(sum.peak, v => (rough ? '\u2265 ' : '') + memory(v)) };
}

function processCells(sum, end, peak) {
  const rough = data.window.means, { row } = sum;
  const ended = row.end && row.endTime !== null && row.endTime <= end ? row.end : data.window.ends && row.kind < 2 ? '\u2013' : '';
  const cells = { lasted: finite(sum.lasted, v => roughly(rough || data.window.bins, duration(v))), mean: finite(sum.mean, v => roughly(rough, memory(v))),
    peak: finite(sum.peak || undefined, v => roughly(rough, memory(v))), end: ended, samples: row.kind === 3 ? counted(sum.samples || 0) : finite(sum.samples, counted) };
  if (row.kind === 2) {
    cells['at the peak'] = sum.running ? roughly(rough, memory(sum.atPeak)) : 'not running';
    cells.share = sum.running && peak ? roughly(rough, fixed(sum.atPeak / peak * 100, 0) + ' %') : '';
    cells['largest process'] = sum.largest && sum.largest.which ? `${memory(sum.largest.peak)} ${sum.largest.which} at ${duration(sum.largest.time)}` : '';
  }
  return cells;
}

const countedName = (name, count) => name.replace(/ \u00d7[\d,]+$/, '') + (count > 1 ? ` \u00d7${counted(count)}` : '');
const kindsOf = { process: [0, 1], command: [0, 2], rank: [2], host: [2], recording: [3] };
function entriesOf(table, a, b) {
  if (table.name === 'function') return functionsIn(a, b).map(sum => ({ number: sum.number, label: functions[sum.number].label, get cells() { return functionCells(sum); } })); // few of thousands are drawn
  const kinds = kindsOf[table.name];
  if (!kinds || !data.window || !data.window.rows.some(([kind]) => kinds.includes(kind) && (kind || table.name !== 'recording'))) return null;
  const peak = kinds.includes(2) ? peakOfAll(a, b, [...new Set(numbersOfWindows().rows.filter(row => row.kind === 2).flatMap(row => row.members))]).mib : 0;
  const sums = rowsIn(kinds, a, b), main = sums.find(sum => sum.row.kind === 0), parts = sums.reduce((all, sum) => all + (sum.atPeak || 0), 0);
  if (main && kinds.includes(2) && peak > parts) Object.assign(main, { atPeak: peak - parts, running: 1 });
  if (table.name === 'recording') return sums.map(sum => ({ row: sum.row, label: sum.row.name, cells: { ...processCells(sum, b, peak), ...wholeCells(table, sum) } }));
  return sums.map(sum => ({ row: sum.row, label: sum.members ? countedName(sum.row.name, sum.members) : sum.row.name, cells: { ...processCells(sum, b, peak),
    ...(sum === main && main.running ? { 'at the peak': roughly(data.window.means, memory(main.atPeak)), share: roughly(data.window.means, fixed(main.atPeak / peak * 100, 0) + ' %') } : {}) } }));
}

// What the picture says of a whole recording.
function wholeCells(table, entry) {
  const block = table.blocks.find(one => one.rows.some(row => row.entry && keyOf(row.entry) === keyOf(entry)));
  const row = block && block.rows.find(one => one.entry && keyOf(one.entry) === keyOf(entry)), cells = {};
  if (row) for (const cell of row.cells) for (const head of block.heads) if (head.x === +cell.getAttribute('x') && /^(started|lasted)/.test(head.text)) cells[head.text] = cell.textContent;
  return cells;
}

// ---- drawing ----

const ownLegend = legend ? layer('legend part', legend.nextSibling) : null;
let shownRange = null; // the range that the legend is of; null: all of the time

function drawSwatch(block, entry, y) {
  const function_ = entry.number !== undefined ? functions[entry.number] : null;
  const colour = function_ ? function_.colour : entry.row.colour, role = function_ ? 'swatch' : entry.row.swatch;
  if (!role) return null;
  const tone = colour >= 0 ? ` c${colour}` : '', x = block.x - 18;
  return role === 'swatch' ? add(ownLegend, 'rect', { class: 'swatch' + tone, x, y: y - 9, width: 10, height: 10, rx: 2 })
    : add(ownLegend, 'path', { class: role + tone, d: `M${x} ${y - 4}h10` });
}

function drawRow(block, entry, y) {
  const swatch = drawSwatch(block, entry, y), room = (block.heads[1] ? block.heads[1].x : right) - block.x - 60;
  const known = tables.flatMap(table => table.blocks.flatMap(one => one.rows)).find(row => row.entry && keyOf(row.entry) === keyOf(entry));
  const name = add(ownLegend, 'text', { class: 'legend-name', x: block.x, y }, known && known.entry.label === entry.label ? known.text : fit(entry.label, 'legend-name', Math.max(60, room)) || entry.label.slice(0, 3));
  block.heads.slice(1).forEach(head => {
    const text = entry.cells[head.text] || '';
    if (text) add(ownLegend, 'text', { class: 'legend-cell', 'text-anchor': 'end', x: head.x, y }, text);
  });
  makeToggle(ownLegend, swatch, name, entry, block.x, y);
}

function drawTable(table, entries) {
  if (!entries.length) return;
  const most = legendLines * table.blocks.length, shown = entries.length <= most ? entries.length : most - 1;
  const lines = shown + (shown < entries.length ? 1 : 0), perBlock = Math.ceil(lines / table.blocks.length);
  const filled = table.blocks[0].heads.map((head, i) => i === 0 || entries.slice(0, shown).some(entry => entry.cells[head.text]));
  table.blocks.forEach((block, b) => {
    if (b && b * perBlock >= lines) return;
    block.heads.forEach((head, i) => {
      if (filled[i]) ownLegend.appendChild(head.node.cloneNode(true)).textContent += !i && selected ? ', selection' : '';
    });
    if (block.rule) ownLegend.appendChild(block.rule.cloneNode(true));
    for (let i = 0; i < perBlock && b * perBlock + i < lines; i++) {
      const n = b * perBlock + i, y = block.y + 22.5 + 19 * i;
      if (n === shown) add(ownLegend, 'text', { class: 'legend-more', x: block.x, y }, `+ ${counted(entries.length - shown)} more`);
      else drawRow(block, entries[n], y);
    }
  });
}

// Tables of which the file has no numbers stay as they are, and say so.
function keepTable(table) {
  for (const block of table.blocks) {
    const nodes = [...block.heads.map(head => head.node), block.rule, ...block.rows.flatMap(row => [row.swatch, row.name, ...row.cells]), block.more];
    for (const node of nodes.filter(Boolean)) {
      const copy = ownLegend.appendChild(node.cloneNode(true));
      if (node === block.heads[0].node) copy.textContent += ', whole time';
    }
  }
}

// Shows the legend of a part of the time; null: the picture's own.
function showLegend(range) {
  shownRange = range;
  if (!legend) return;
  clear(ownLegend);
  root.classList.toggle('ranged', range !== null);
  if (!range) return;
  for (const table of tables) {
    const entries = entriesOf(table, ...range);
    if (entries) drawTable(table, entries);
    else keepTable(table);
  }
  markHidden();
}

// ---- hide and solo ----

// A click hides or shows; with Shift, Alt or a second click it shows nothing else of its kind.
function makeToggle(parent, swatch, name, entry, x, y) {
  const node = add(parent, 'rect', { class: 'toggle', x: x - 23, y: y - 13, width: 20, height: 18, rx: 3, role: 'switch', 'aria-checked': 'true',
    'aria-label': `Show ${entry.label}`, tabindex: parent.querySelector('.toggle') ? -1 : 0, 'data-key': keyOf(entry) });
  add(node, 'title', {}, 'Click: hide or show. Double click: show only this.');
  node.addEventListener('click', event => clickedToggle(keyOf(entry), event));
  toggled.set(node, { swatch, name });
  return node;
}
const toggled = new WeakMap();

// The row may be drawn anew between two clicks, so there is no event of a double one.
let lastToggle = { key: null };
function clickedToggle(key, event) {
  const again = lastToggle.key === key && event.timeStamp - lastToggle.time < 400;
  if (again) {
    hidden.clear();
    lastToggle.before.forEach(one => hidden.add(one));
  }
  lastToggle = { key: again ? null : key, time: event.timeStamp, before: [...hidden] };
  toggle(key, again || event.shiftKey || event.altKey);
}

function toggle(key, alone) {
  const kind = key.split(' ')[0] + ' ', all = allKeys().filter(one => one.startsWith(kind));
  if (alone) {
    const others = all.filter(one => one !== key), isAlone = others.every(one => hidden.has(one)) && !hidden.has(key);
    others.forEach(one => { if (isAlone) hidden.delete(one); else hidden.add(one); });
    hidden.delete(key);
  } else if (!hidden.delete(key)) hidden.add(key);
  applyHidden();
}

const allKeys = () => [...functions.map(one => 'function ' + one.name), ...(data.window ? data.window.rows.map(([, name]) => 'process ' + name) : [])];

// The process that an element is of, by the name that its tooltip has.
function isHiddenItem(item) {
  const about = (item.owner || item).about;
  if (!hidden.size) return false;
  if (!about) return (/^(curve|curve-fine|area|sample|total)$/.test(item.role) || item.kind === 'marks' && /^peak/.test(item.role)) && hidesCurve();
  if (about.of) {
    const numbers = about.calls > 1 && about.bits ? functions.map((one, i) => i).filter(i => i < 63 && about.bits[i < 32 ? 0 : 1] & 1 << i % 32) : [];
    return [about.number, ...numbers].every(i => hidden.has('function ' + functions[i].name)) || [...hidden].some(key => key.startsWith('process ') && ofProcess(about, key.slice(8)));
  }
  return [...hidden].some(key => key.startsWith('process ') && nameIs(about.text, key.slice(8)));
}
// The curve is the main process; or the sum of all, which is shown until one process is left.
function hidesCurve() {
  const rows = data.window.rows.filter(([kind]) => kind < 3), off = rows.filter(([, name]) => hidden.has('process ' + name));
  return data.window.sum ? off.length > 1 && off.length === rows.length - 1 : off.some(([kind]) => kind === 0);
}
// Labels leave out the pid where names differ, and a command has the number of its processes.
const nameIs = (text, name) => !!text && (text === name || text.replace(/ \u00d7[\d,]+$/, '') === name.replace(/ \u00d7[\d,]+$/, '') || text + ' (main)' === name);
// The tooltip of a call ends in its process and thread.
const ofProcess = (about, name) => { const place = about.text.split(' \u00b7 ').pop(); return nameIs(place, name) || place.startsWith(name + ', '); };

function applyHidden() {
  showHidden(); // hidden curves do not scale the memory axis
  redrawView();
}
function showHidden() {
  items.forEach(item => { item.hidden = isHiddenItem(item); item.node.classList.toggle('hidden-item', item.hidden); });
  series.forEach(one => { one.hidden = items.some(item => item.hidden && item.about === one.about && /^(curves|strips)$/.test(item.kind)); });
  root.classList.toggle('filtered', hidden.size > 0);
  markHidden();
}

function markHidden() {
  if (!legend) return;
  for (const node of root.querySelectorAll('.toggle')) {
    const off = hidden.has(node.getAttribute('data-key')), { swatch, name } = toggled.get(node);
    node.setAttribute('aria-checked', !off);
    for (const one of [swatch, name]) if (one) one.classList.toggle('off', off);
  }
}

// The rows of the picture's own legend get toggles, too. Long names are cut there.
function connectLegend() {
  if (!data.window) return;
  for (const table of tables) {
    const entries = entriesOfWhole(table);
    for (const block of table.blocks)
      for (const row of block.rows) {
        const [begin, end] = row.text.split('\u2026'), cut = end !== undefined;
        const at = entries.findIndex(({ label }) => cut ? label.startsWith(begin) && label.endsWith(end) : label === row.text);
        const [entry] = at < 0 ? [null] : entries.splice(at, 1);
        if (!entry) continue;
        row.entry = entry;
        makeToggle(legend, row.swatch, row.name, entry, block.x, +row.name.getAttribute('y'));
      }
  }
}
function entriesOfWhole(table) {
  if (table.name === 'function') return functions.map((one, number) => ({ number, label: one.label }));
  return data.window.rows.map(([kind, name, swatch, colour]) => ({ row: { kind, name, swatch, colour }, label: name }))
    .filter(({ row }) => (kindsOf[table.name] || []).includes(row.kind));
}
legend && legend.addEventListener('keydown', moveToggle);
ownLegend && ownLegend.addEventListener('keydown', moveToggle);
function moveToggle(event) {
  const nodes = [...event.currentTarget.querySelectorAll('.toggle')], at = nodes.indexOf(event.target);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
  if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === ' ' || event.key === 'Enter') toggle(nodes[at].getAttribute('data-key'), event.key === 'Enter');
  else if (nodes[next]) {
    nodes[at].setAttribute('tabindex', -1);
    nodes[next].setAttribute('tabindex', 0);
    nodes[next].focus({ preventScroll: true });
  } else if (next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
}
