// Copies numbers as CSV, and saves the view as a picture of its own.
const quoted = text => /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
const csv = rows => rows.map(row => row.map(cell => typeof cell === 'number' ? String(+cell.toPrecision(12)) : quoted(String(cell))).join(',')).join('\n') + '\n';

// Samples of the selection, or of what is shown: one row for each moment, one column for each curve.
function samplesAsCsv() {
  const [a, b] = selected || [view.from, view.to];
  const named = series.filter(one => !one.hidden).map(one => [one.about ? one.about.text : 'memory', one]);
  if (ticks.length) {
    const own = tracks.filter(track => track.kind), within = ticks.filter(tick => tick.t >= a && tick.t <= b);
    return csv([['seconds', data.sum ? 'memory' : 'all processes', ...own.map(track => track.name)].map(head => head === 'seconds' ? head : head + ' (MiB)'),
      ...within.map(tick => [tick.t, tick.total, ...own.map(track => { const found = tick.values.find(([one]) => one === track); return found ? found[1] : ''; })])]);
  }
  const rows = new Map();
  named.forEach(([, one], i) => {
    for (const [t, v] of one.pieces.flat()) if (t >= a && t <= b) {
      if (!rows.has(t)) rows.set(t, Array(named.length).fill(''));
      rows.get(t)[i] = v;
    }
  });
  return csv([['seconds', ...named.map(([name]) => name + ' (MiB)')], ...[...rows].sort((x, y) => x[0] - y[0]).map(([t, values]) => [t, ...values])]);
}

// The tables of the legend, as they are shown.
function legendAsCsv() {
  const range = shownRange || [from, to];
  return tables.map(table => {
    const entries = entriesOf(table, ...range), heads = table.blocks[0].heads.map(head => head.text);
    const rows = entries ? entries.map(entry => [entry.label, ...heads.slice(1).map(head => entry.cells[head] || '')])
      : table.blocks.flatMap(block => block.rows.map(row => [row.text, ...row.cells.map(cell => cell.textContent)]));
    return csv([heads, ...rows]);
  }).join('\n');
}

function copyText(text) {
  const save = () => saveFile(text, 'text/csv', 'csv');
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => announce('copied'), save);
  else save();
}

function saveFile(text, type, suffix) {
  const title = root.querySelector(':scope > title').textContent, link = document.createElementNS(HTML, 'a');
  const name = (title.match(/[\w.-]+/g) || []).pop() || 'mprof';
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `${name.slice(0, 60)}${shownRange ? '-' + shownRange.join('-') : ''}.${suffix}`;
  // Firefox follows links of a document only
  const holder = add(root, 'foreignObject', { width: 0, height: 0 });
  holder.appendChild(link);
  link.click();
  holder.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// The view without script and numbers, so that every program shows it.
function viewAsSvg() {
  const copy = root.cloneNode(true), shown = [...root.querySelectorAll('*')];
  const cloned = [...copy.querySelectorAll('*')];
  cloned.forEach((node, i) => {
    const own = shown[i], style = getComputedStyle(own);
    if (/^(script|metadata|foreignObject)$/.test(node.localName) || own.matches('.button, .readout, .toggle, .status, .field') || style.display === 'none' && own.closest('svg > g') && !own.closest('style, title, desc')) node.remove();
  });
  for (const node of [copy, ...copy.querySelectorAll('*')]) {
    for (const name of ['tabindex', 'aria-roledescription', 'data-command', 'data-mib']) node.removeAttribute(name);
    if (node !== copy && /^(graphics-symbol|group|status)$/.test(node.getAttribute('role'))) node.removeAttribute('role');
  }
  copy.classList.remove('living', 'panning');
  copy.setAttribute('role', 'img');
  copy.setAttribute('width', root.viewBox.baseVal.width);
  copy.setAttribute('height', root.viewBox.baseVal.height);
  if (view !== full) copy.querySelector(':scope > desc').textContent += ` \u00b7 ${moment(view.from)} \u2013 ${moment(view.to)}`;
  return '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(copy) + '\n';
}

// ---- fit to the window ----

let fits = false;
function fitWindow() {
  const box = root.viewBox.baseVal;
  fits = !fits;
  if (!fits) change(root, { width: box.width, height: box.height });
  else if (alone) change(root, { width: '100%', height: box.height > box.width ? null : '100%' });
  else change(root, { width: '100%', height: null });
  original.delete(root); // stays when the view is reset
}
