// A selected range of time: its statistics are in a panel, and its functions and processes in the legend.
let selected = null; // as `mprof plot -w` takes it

function select(range) {
  selected = range && Math.abs(range[1] - range[0]) > 0 ? rounded(Math.min(...range), Math.max(...range)) : null;
  if (selected) selected = [Math.max(from, selected[0]), Math.min(to, selected[1])];
  showLegend(selected || viewRange());
  drawSelection();
  keepLink();
}

function selectionLines([a, b]) {
  const lines = [[`${moment(a)} \u2013 ${moment(b)}`, 'tip head'], [duration(b - a), 'tip']], rough = data.window && data.window.means;
  const add = (name, text) => lines.push([`${name ? name + '  ' : ''}${text}`, 'tip']), curves = curvesIn(a, b);
  for (const { name, count, peak, time, mean, lowest, change, start, end } of curves.slice(0, 8)) {
    if (count) add(name, `peak  ${roughly(rough, memory(peak))} at ${moment(time)}`);
    if (mean !== undefined) add(curves.length > 2 ? name : '', `mean  ${roughly(rough, memory(mean))}`);
    if (lowest !== undefined && curves.length < 3) add('', `lowest  ${roughly(rough, memory(lowest))}`);
    if (change !== undefined) add(curves.length > 2 ? name : '', `change  ${roughly(rough, changed(change))}  (${memory(start)} \u2192 ${memory(end)})`);
    if (!count) add(name, 'no sample in it');
  }
  if (curves.length > 8) add('', `+ ${curves.length - 8} more`);
  const ran = functionsIn(a, b), calls = ran.reduce((all, one) => all + one.calls, 0);
  if (ran.length) lines.push([`${roughly(data.window.bins, counted(calls))} call${calls === 1 ? '' : 's'} of ${counted(ran.length)} function${ran.length === 1 ? '' : 's'}`, 'tip']);
  return lines;
}

function drawSelection() {
  clear(selection);
  if (!selected) return;
  const x0 = Math.max(left, X(selected[0])), x1 = Math.min(right, X(selected[1]));
  if (x1 < left || x0 > right) return;
  add(selection, 'rect', { class: 'part range', x: tenth(x0), y: top, width: tenth(Math.max(1, x1 - x0)), height: tenth(below - top) });
  const box = drawPanel(selection, selectionLines(selected), x1, top + 2, { foot: 22 });
  let x = box.x + 8;
  for (const [text, name, act] of [['zoom', 'Zoom to the selection', zoomToSelection], ['copy', 'Copy the samples as CSV', () => copyText(samplesAsCsv())], ['\u00d7', 'Clear the selection', () => select(null)]])
    x += addPanelButton(selection, text, name, x, box.y + box.height - 22, act) + 6;
}

function zoomToSelection() {
  if (!selected) return;
  const [a, b] = selected;
  selected = null;
  zoom(a, b);
}

// A button of a panel; returns its width.
function addPanelButton(parent, text, name, x, y, act) {
  const wide = Math.round(textWidth(text, 'tick')) + 12, node = add(parent, 'g', { class: 'button', role: 'button', tabindex: 0, 'aria-label': name });
  add(node, 'rect', { x: Math.round(x) + 0.5, y: Math.round(y) + 0.5, width: wide, height: 16, rx: 3 });
  add(node, 'text', { x: tenth(Math.round(x) + 0.5 + wide / 2), y: Math.round(y) + 12, 'text-anchor': 'middle' }, text);
  node.addEventListener('click', event => { event.stopPropagation(); act(); });
  return wide;
}
