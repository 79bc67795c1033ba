// Shows a part of the time, or all of it.
const clear = (...layers) => layers.forEach(one => one.replaceChildren());

// A range as `mprof plot -w` takes it: as exact as a tenth of a pixel.
const rangePlaces = (begin, end) => Math.max(0, Math.ceil(-Math.log10(end - begin)) + 4);
const rounded = (begin, end) => [begin, end].map(t => +t.toFixed(rangePlaces(begin, end)));
const rangeName = ([a, b]) => [a, b].map(t => String(+t.toFixed(rangePlaces(a, b)))).join(',');
const viewRange = () => view === full ? null : rounded(view.from, view.to);

function zoom(begin, end) {
  const least = Math.max((to - from) * 1e-6, 20 * timeStep), span = Math.min(Math.max(end - begin, least), to - from);
  begin = Math.max(from, Math.min((begin + end - span) / 2, to - span));
  if (span > (to - from) * 0.9999) return showAll();
  view = { from: begin, to: begin + span };
  redraw();
}

// Of a part of the time, or of all of it with other curves than the picture has.
function redraw() {
  rescaleMemory();
  root.classList.add('zoomed');
  clear(axes, captions, wings, marks, names, heading);
  ends.clear();
  for (const item of items)
    if (item.kind === 'curves') redrawCurve(item);
    else if (item.kind === 'strips') redrawStrip(item);
    else if (item.kind === 'marks') redrawMark(item);
    else if (item.kind !== 'names') redrawBox(item);
  for (const item of boxes) drawWings(item);
  movePeakTicks();
  drawDetails();
  drawAxes();
  drawBrackets();
  drawNames();
  drawCaptions();
  drawHeading();
  resetButton.setAttribute('display', 'inline');
  viewChanged();
}

// Zooming shows no more detail than was drawn: the line below the title names the command that does.
function drawHeading() {
  if (isWhole()) return facts && heading.appendChild(facts.cloneNode(true)).classList.remove('fixed');
  const range = rounded(view.from, view.to), text = `${moment(view.from)} \u2013 ${moment(view.to)}`;
  const peaks = tables.length ? curvesIn(...range).map(one => one.peak || 0) : [];
  const peak = Math.max(0, ...peaks) ? `  \u00b7  peak ${roughly(data.window.means, memory(Math.max(...peaks)))}` : '';
  const command = data.command && !data.share ? `${data.command[0]} -w ${rangeName(range)} ${data.command[1]}`.trim() : '';
  // A command is shown whole or not at all; a click copies it.
  const texts = command ? [`${text}${peak}  \u00b7  for all detail of it: ${command}`, `${text}  \u00b7  for all detail of it: ${command}`,
    `${text}${peak}  \u00b7  click to copy the command for all detail`] : [];
  const shown = top < 40 ? '' : [...texts, text + peak].find(one => textWidth(one, 'facts') <= width - 80) || text;
  const line = add(heading, 'text', { class: 'facts', 'xml:space': 'preserve', x: left, y: factsY }, shown);
  if (!command) return;
  line.setAttribute('data-command', command);
  line.setAttribute('style', 'cursor:copy');
  line.addEventListener('click', () => copyText(command));
  add(line, 'title', {}, command);
}

// What follows the view: the legend, the selection, pinned tooltips, and the address.
function viewChanged() {
  showHidden();
  hover(null);
  showLegend(selected || viewRange());
  drawSelection();
  drawPins();
  mark();
  keepLink();
}

function showAll() {
  view = full;
  if ([...hidden].some(key => key.startsWith('process '))) {
    view = { ...full };
    return redraw();
  }
  for (const [node, kept] of original) for (const name in kept) setOrRemove(node, name, kept[name]);
  original.clear();
  root.classList.remove('zoomed');
  clear(axes, captions, wings, marks, names, heading);
  clearDetails();
  for (const item of boxes) item.expanded = false;
  resetButton.setAttribute('display', hidden.size ? 'inline' : 'none');
  viewChanged();
}

// The picture as it was drawn.
function reset() {
  selected = null;
  pins.length = 0;
  hidden.clear();
  showAll();
  if (tree) zoomTree(tree.nodes[0]);
}

const isWhole = () => view.to - view.from > (to - from) * 0.9999;
function redrawView() {
  if (isWhole()) showAll();
  else redraw();
}

function zoomTo({ start, end }) {
  const margin = Math.max((end - start) * 0.05, (to - from) * 1e-6);
  zoom(start - margin, end + margin);
}
function zoomBy(factor, t = (view.from + view.to) / 2) {
  zoom(t - (t - view.from) * factor, t + (view.to - t) * factor);
}
function panTo(begin) {
  const span = view.to - view.from;
  begin = Math.max(from, Math.min(begin, to - span));
  if (!isWhole() && begin !== view.from) zoom(begin, begin + span);
}
const pan = share => panTo(view.from + (view.to - view.from) * share);
