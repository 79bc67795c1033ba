// The tree of calls: a click shows a call and what it called in the whole width. Places and captions are those of
// call_tree_chart.c and call_tree_figure.c.
const tree = data.tree ? readTree(data.tree) : null;
let treeRoot = tree && tree.nodes[0], treeLayer = null, treeBoxes = [], treeStop = null;
const treeBoxOf = new Map();

function readTree({ nodes: text, by, box: [x, y, wide, tall], row, gap, least, colours, duration }) {
  const nodes = [], read = reader(text), mib = () => read.next() / 1024, seconds = () => read.next() / 1e6;
  while (read.more()) {
    const node = { parent: nodes[read.next() - 1] || null, number: read.next(), calls: read.next(), children: [] };
    [node.growth, node.ownGrowth, node.release, node.ownRelease] = [mib(), mib(), mib(), mib()];
    [node.time, node.ownTime] = [seconds(), seconds()];
    [node.memoryTime, node.ownMemoryTime] = [mib(), mib()];
    [node.peak, node.growthDoubt, node.releaseDoubt, node.timeDoubt] = [mib(), mib(), mib(), seconds()];
    node.index = nodes.length;
    node.level = node.parent ? node.parent.level + 1 : 0;
    if (node.parent) node.parent.children.push(node);
    nodes.push(node);
  }
  return { nodes, by, x, y, wide, rows: Math.round(tall / row), row, gap, least, colours, duration };
}

// ---- numbers ----

const treeValue = (node, left, own) => tree.by === 1 ? left ? 0 : own ? node.ownTime : node.time
  : tree.by === 2 ? left ? 0 : own ? node.ownMemoryTime : node.memoryTime
  : left ? own ? node.ownRelease : node.release : own ? node.ownGrowth : node.growth;
const treeText = value => tree.by === 1 ? duration(value) : memory(value) + (tree.by === 2 ? '\u00b7s' : '');
const seenDoubt = (doubt, value) => doubt > 0.005 * value ? doubt : 0;
// A number without its unit, if that is the one before it.
const bare = (text, before) => text.slice(text.lastIndexOf(' ')) === before.slice(before.lastIndexOf(' ')) ? text.slice(0, text.lastIndexOf(' ')) : text;
const treeName = ({ node, outside }, full) => outside ? 'outside of calls' : !node.parent ? 'all' : functions[node.number][full ? 'name' : 'label'];

function treeCaption(box) {
  const { node, left, outside } = box, value = treeValue(node, left, outside), own = treeValue(node, left, true), name = treeName(box);
  const amount = (tree.by || !(value > 0) ? '' : left ? '\u2212' : '+') + treeText(value);
  const doubt = tree.by === 2 || outside ? 0 : seenDoubt(tree.by ? node.timeDoubt : left ? node.releaseDoubt : node.growthDoubt, value);
  const sure = `${name} \u00b7 ${amount}${doubt ? ` \u00b1${bare(treeText(doubt), amount)}` : ''}`;
  const texts = [sure, `${name} \u00b7 ${amount}`];
  if (node.parent && own > 0 && own < value) texts.unshift(`${sure} (own ${bare(treeText(own), amount)})`);
  const room = box.width - 17;
  return room < 8 ? '' : texts.find(text => textWidth(text, 'box-name') <= room) || fit(name, 'box-name', room);
}

function treeLines(box) {
  const { node, outside } = box, lines = [[treeName(box, true), 'tip head', node.parent ? 'c' + tree.colours[node.number] : undefined]];
  const all = tree.nodes[0], amount = (word, sign, value, own, doubt, whole) => {
    const text = memory(value), seen = seenDoubt(doubt, value), share = !outside && node.parent && whole > 0 ? `, ${percent(value / whole)} of all` : '';
    lines.push([`${word} ${value > 0 ? sign : ''}${text}${seen ? ` \u00b1${memory(seen)}` : ''}${share}, own ${memory(own)}`, 'tip']);
  };
  amount('grew', '+', outside ? node.ownGrowth : node.growth, node.ownGrowth, outside ? 0 : node.growthDoubt, all.growth);
  amount('released', '\u2212', outside ? node.ownRelease : node.release, node.ownRelease, outside ? 0 : node.releaseDoubt, all.release);
  const time = outside ? node.ownTime : node.time, doubt = outside ? 0 : seenDoubt(node.timeDoubt, time);
  lines.push([`${duration(time)}${doubt ? ` \u00b1${duration(doubt)}` : ''}${tree.duration > 0 ? `, ${percent(time / tree.duration)} of the time` : ''}, own ${duration(node.ownTime)}`, 'tip']);
  lines.push([`memory \u00d7 time ${memory(outside ? node.ownMemoryTime : node.memoryTime)}\u00b7s`, 'tip']);
  if (node.calls) lines.push([`${counted(node.calls)} call${node.calls === 1 ? '' : 's'}`, 'tip']);
  if (node.peak && !outside) lines.push([`peak ${memory(node.peak)}`, 'tip']);
  const around = [];
  for (let up = node.parent; up && up.parent; up = up.parent) around.unshift(functions[up.number].label);
  if (around.length) lines.push([`in ${around.join(' \u203a ')}`, 'tip']);
  return lines;
}

// ---- boxes ----

function placeTree(top) {
  const grown = treeValue(top, false), released = treeValue(top, true), both = released > 0 && released >= 0.05 * grown;
  const scale = tree.wide / (grown + (both ? released : 0)), axis = tree.x + (both ? released * scale : 0), found = [];
  const path = [];
  for (let up = top.parent; up; up = up.parent) path.unshift(up);
  path.forEach((node, row) => found.push({ node, row, left: false, around: true, x: tree.x, width: tree.wide, ownX: 0, ownWidth: 0 }));
  const place = (node, row, left, x, width) => {
    if (row >= tree.rows) return;
    const ownWidth = Math.min(width, treeValue(node, left, true) * scale);
    found.push({ node, row, left, x, width, ownX: left ? x : x + width - ownWidth, ownWidth });
    let at = left ? x + width : x;
    for (const child of [...node.children].sort((a, b) => treeValue(b, left) - treeValue(a, left) || a.index - b.index)) {
      const wide = treeValue(child, left) * scale;
      if (!(wide >= tree.least)) continue;
      if (left) at -= wide;
      place(child, row + 1, left, at, wide);
      if (!left) at += wide;
    }
  };
  if (both) place(top, path.length, true, axis - released * scale, released * scale);
  if (grown > 0) place(top, path.length, false, axis, grown * scale);
  return { found, axis, both };
}

function drawTreeBox(box) {
  const { node, row, left, x, width: wide } = box, shift = wide >= 3 ? 1 : 0, neutral = !node.parent, y = tree.y + row * tree.row;
  const at = { x: x + (left ? shift : 0), width: Math.max(wide - shift, tree.least), height: tree.row - tree.gap }, fine = at.width < 2.5;
  const tone = neutral ? '' : ' c' + tree.colours[node.number], role = neutral ? 'box-all' : fine ? 'box-fine' : left ? 'box-release' : 'box';
  const inset = role === 'box-release' ? 0.75 : 0, parts = [];
  const put = (name, px, py, w, h) => parts.push(add(treeLayer, 'rect', { class: name + tone, x: tenth(px), y: tenth(py), width: tenth(w), height: tenth(h) }));
  put(role, at.x + inset, y + inset, Math.max(at.width - 2 * inset, tree.least), at.height - 2 * inset);
  if (role === 'box') put('box-edge', at.x, y, Math.min(3, at.width / 3), at.height);
  if (!neutral && !fine && box.ownWidth >= tree.least) {
    const ownX = Math.max(box.ownX, at.x);
    put('box-own', ownX, y + at.height - 3, Math.max(Math.min(box.ownX + box.ownWidth, at.x + at.width) - ownX, tree.least), 3);
  }
  const text = treeCaption({ ...box, width: at.width });
  if (text) parts.push(add(treeLayer, 'text', { class: 'box-name', x: tenth(at.x + 10), y: tenth(y + at.height / 2 + (small ? 2 : 3)) }, text));
  if (box.around) parts.forEach(part => part.classList.add('around'));
  box.rect = parts[0];
  keepTreeBox(box, parts, treeLines(box).map(([line]) => line).join(' \u00b7 '));
}

function keepTreeBox(box, parts, label) {
  parts.forEach(part => treeBoxOf.set(part, box));
  box.parts = parts;
  parts[0].setAttribute('role', 'graphics-symbol');
  parts[0].setAttribute('aria-roledescription', 'calls');
  parts[0].setAttribute('aria-label', label);
  parts[0].setAttribute('tabindex', -1);
  treeBoxes.push(box);
}

// The boxes as they were drawn.
function keepDrawnTree() {
  const read = reader(data.tree.places);
  let box = null;
  for (const part of group('tree').children) {
    const title = part.querySelector('title');
    if (title) {
      const code = read.next(), node = tree.nodes[Math.floor(code / 4) - 1];
      const y = +part.getAttribute('y'), x = +part.getAttribute('x');
      box = node ? { node, left: code % 4 > 1, outside: code % 2 > 0, row: Math.floor((y - tree.y) / tree.row), x, width: +part.getAttribute('width'), rect: part, parts: [] } : null;
      if (box) keepTreeBox(box, [part], title.textContent);
      title.remove();
    } else if (box && /^box/.test(part.classList[0])) {
      box.parts.push(part);
      treeBoxOf.set(part, box);
    }
  }
}

function showTreeRoot(node) {
  treeRoot = node;
  treeBoxes = [];
  treeBoxOf.clear();
  if (treeLayer) treeLayer.remove();
  treeLayer = null;
  const drawn = group('tree');
  drawn.setAttribute('display', node.parent ? 'none' : 'inline');
  if (node.parent) {
    treeLayer = layer('tree', drawn.nextSibling);
    const { found, axis, both } = placeTree(node);
    found.forEach(drawTreeBox);
    if (both) add(treeLayer, 'path', { class: 'axis', d: `M${Math.floor(axis) + 0.5} ${tree.y + node.level * tree.row - 2}V${tree.y + tree.rows * tree.row}` });
  } else keepDrawnTree();
  treeStop = treeBoxes.find(box => box.node === node && !box.left) || treeBoxes[0];
  if (treeStop) treeStop.rect.setAttribute('tabindex', 0);
  markTree();
}
function zoomTree(node) {
  if (node === treeRoot) return;
  showTreeRoot(node);
  resetButton.setAttribute('display', node.parent || view !== full || hidden.size ? 'inline' : 'none');
  hover(null);
  keepLink();
}

// ---- search ----

let treeHits = new Set();
function markTree() {
  for (const box of treeBoxes) box.parts.forEach(part => part.classList.toggle('hit', !box.outside && box.node.parent !== null && treeHits.has(box.node.number)));
}
// The share of the outermost calls of these functions.
function searchTree(numbers) {
  treeHits = numbers;
  markTree();
  const sum = node => node.parent && numbers.has(node.number) ? treeValue(node, false) : node.children.reduce((all, child) => all + sum(child), 0);
  const whole = treeValue(tree.nodes[0], false);
  return numbers.size && whole > 0 ? `${percent(sum(tree.nodes[0]) / whole)} of the ${['growth', 'time', 'memory \u00d7 time'][tree.by]}` : '';
}

// ---- pointer and keys ----

function hoverTree(event) {
  const box = treeBoxOf.get(event.target);
  if (!box) return false;
  hover(null);
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
  drawPanel(readout, treeLines(box), x, y);
  return true;
}
function goTree(box) {
  if (!box) return;
  treeStop.rect.setAttribute('tabindex', -1);
  treeStop = box;
  box.rect.setAttribute('tabindex', 0);
  box.rect.focus({ preventScroll: true });
}
// Up is the caller, down the widest call, left and right are in the same row.
function treeNeighbour(box, key) {
  const row = treeBoxes.filter(other => other.row === box.row).sort((a, b) => a.x - b.x), at = row.indexOf(box);
  if (key === 'ArrowLeft') return row[at - 1];
  if (key === 'ArrowRight') return row[at + 1];
  const near = treeBoxes.filter(other => (other.left === box.left || other.around || box.around) && (key === 'ArrowUp' ? other.node === (box.outside ? box.node : box.node.parent) && !other.outside : !other.outside && other.node.parent === box.node));
  return near.sort((a, b) => b.width - a.width)[0];
}
function pressedInTree(event) {
  const box = treeBoxOf.get(event.target);
  if (!box || !/^(Arrow.*|Enter| |Backspace)$/.test(event.key)) return false;
  if (event.key.startsWith('Arrow')) goTree(treeNeighbour(box, event.key));
  else {
    zoomTree(event.key === 'Backspace' ? treeRoot.parent || treeRoot : box.outside ? treeRoot : box.node);
    goTree(treeStop);
  }
  return true;
}
function startTree() {
  showTreeRoot(tree.nodes[0]);
  root.addEventListener('click', event => { const box = treeBoxOf.get(event.target); if (box && !box.outside) zoomTree(box.node); });
  root.addEventListener('focusin', event => {
    const box = treeBoxOf.get(event.target);
    if (!box) return;
    hover(null);
    drawPanel(readout, treeLines(box), box.x + Math.min(box.width / 2, 200), tree.y + box.row * tree.row + 10);
  });
}
