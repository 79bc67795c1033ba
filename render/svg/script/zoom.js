// Shows a part of the time, or all of it.
const clear = (...layers) => layers.forEach(one => one.replaceChildren());

function zoom(begin, end) {
  const least = Math.max((to - from) * 1e-6, 20 * timeStep), span = Math.min(Math.max(end - begin, least), to - from);
  begin = Math.max(from, Math.min((begin + end - span) / 2, to - span));
  if (span > (to - from) * 0.9999) return reset();
  view = { from: begin, to: begin + span };
  rescaleMemory();
  root.classList.add('zoomed');
  clear(axes, captions, marks, names, heading);
  ends.clear();
  for (const item of items)
    if (item.kind === 'curves') redrawCurve(item);
    else if (item.kind === 'strips') redrawStrip(item);
    else if (item.kind === 'marks') redrawMark(item);
    else if (item.kind !== 'names') redrawBox(item);
  drawAxes();
  drawBrackets();
  drawNames();
  drawCaptions();
  // Zooming shows no more detail than was drawn: name the command that does.
  const places = Math.max(0, Math.ceil(-Math.log10(span)) + 2), window = `${begin.toFixed(places)},${(begin + span).toFixed(places)}`;
  const range = `${moment(begin)} \u2013 ${moment(begin + span)}`;
  const command = data.command && !data.share ? `${data.command[0]} -w ${window} ${data.command[1]}`.trim() : '';
  // A command is shown whole or not at all; a click copies it.
  const texts = [`${range}  \u00b7  for all detail of it: ${command}`, `${range}  \u00b7  click to copy the command for all detail`, range];
  const text = top < 40 ? '' : texts.slice(command ? 0 : 2).find(one => textWidth(one, 'facts') <= width - 80) || range;
  const line = add(heading, 'text', { class: 'facts', 'xml:space': 'preserve', x: left, y: factsY }, text);
  if (command) {
    line.setAttribute('data-command', command);
    line.setAttribute('style', 'cursor:copy');
    line.addEventListener('click', () => navigator.clipboard && navigator.clipboard.writeText(command).catch(() => {}));
    add(line, 'title', {}, command);
  }
  resetButton.setAttribute('display', 'inline');
  nameTime(', whole time');
  hover(null);
  mark();
}

// The legend stays that of all of the time, and its tables say so.
const heads = group('legend') ? [...group('legend').querySelectorAll('.legend-head:not([text-anchor])')].map(node => [node, node.textContent]) : [];
const nameTime = suffix => heads.forEach(([node, text]) => { node.textContent = text + suffix; });

function reset() {
  nameTime('');
  for (const [node, kept] of original) for (const name in kept) setOrRemove(node, name, kept[name]);
  original.clear();
  view = full;
  root.classList.remove('zoomed');
  clear(axes, captions, marks, names, heading);
  resetButton.setAttribute('display', 'none');
  hover(null);
  mark();
}

function zoomTo(about) {
  const margin = Math.max((about.end - about.start) * 0.05, (to - from) * 1e-6);
  zoom(about.start - margin, about.end + margin);
}
function zoomBy(factor, t = (view.from + view.to) / 2) {
  zoom(t - (t - view.from) * factor, t + (view.to - t) * factor);
}
function pan(share) {
  const span = view.to - view.from, begin = Math.max(from, Math.min(view.from + span * share, to - span));
  if (view !== full) zoom(begin, begin + span);
}
