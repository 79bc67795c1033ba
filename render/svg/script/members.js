// Pictures of many, small multiples and rows of colours: what is under the pointer, search and keys. They have none
// of what follows.
if (data.members) {
  startMembers();
  return;
}

function startMembers() {
  const { nouns, heat, scale } = data.members;
  const members = data.members.rows.map(([name, end, peak, peakAt, first, last, y, tall, x = left, wide = width], i) => ({ name, end, peak, peakAt, first, last, y, tall, x, wide, i }));
  const box = root.viewBox.baseVal, page = layer('marks', metadata), readout = layer('readout', metadata);
  if (group('columns')) group('columns').remove();
  const clockTime = s => data.share ? fixed(s, 0) + ' %' : duration(s);

  // ---- panels: the elements of each, and the points of its curve ----
  if (!heat) {
    let own = null, next = 0;
    for (const node of group('panels').children) {
      if (node.classList.contains('member-field')) own = Object.assign(members[next++], { nodes: [], paths: [] });
      own.nodes.push(node);
      if (/^member(-worst)?$/.test(node.classList[0])) own.paths.push(node);
    }
    for (const one of members) {
      const field = one.nodes[0], title = field.querySelector('title');
      one.label = title ? title.textContent : one.name;
      if (title) title.remove();
      field.setAttribute('role', 'graphics-symbol');
      field.setAttribute('aria-label', one.label);
      field.setAttribute('tabindex', one.i ? -1 : 0);
    }
  }
  // The memory at a place of a panel's time axis; null: it did not run.
  function drawnAt(one, x) {
    if (!one.points) one.points = one.paths.map(node => pixelsOf(node).slice(1, -1));
    for (const points of one.points)
      for (let i = 0; i < points.length; i++) {
        const [x0, y0] = points[i], [x1, y1] = points[i + 1] || [x0 + 0.5, y0];
        if (x < x0 - 0.5 || x > x1 || i + 1 === points.length && x > x0 + 0.5) continue;
        const y = x1 > x0 ? y0 + (y1 - y0) * Math.max(0, x - x0) / (x1 - x0) : Math.min(y0, y1);
        return { mib: memoryAt(low + (one.y + one.tall - y) / one.tall * (high - low)), y };
      }
    return null;
  }
  function pixelsOf(node) {
    return pathPoints(node).map(([t, v]) => [left + (t - from) / (to - from) * width, floor - (v - low) / (high - low) * height]);
  }

  // ---- rows: their colours are shades, which the palette of the image lists ----
  const tables = [];
  if (heat) for (const node of [...group('heat').querySelectorAll('image')].filter(one => !one.classList.contains('for-dark'))) {
    for (const own of [node, node.nextElementSibling]) {
      const title = own && own.localName === 'image' && own.querySelector('title');
      if (!title) continue;
      own.setAttribute('role', 'graphics-symbol');
      own.setAttribute('aria-label', title.textContent);
      title.remove();
    }
    const table = { y: +node.getAttribute('y'), tall: +node.getAttribute('height') }, href = node.getAttribute('href');
    const bytes = atob(href.slice(href.indexOf(',') + 1).slice(0, 1120)), image = new Image(), shades = new Map();
    for (let i = 1; i < 256; i++) if (i < 81 || i === 255) shades.set([0, 1, 2].map(n => bytes.charCodeAt(41 + 3 * i + n)).join(), i);
    image.onload = () => {
      const canvas = document.createElementNS(HTML, 'canvas'), pen = canvas.getContext('2d', { willReadFrequently: true });
      canvas.width = image.naturalWidth;
      canvas.height = image.naturalHeight;
      pen.drawImage(image, 0, 0);
      table.shadeAt = (x, y) => {
        const [r, g, b, a] = pen.getImageData(Math.min(canvas.width - 1, Math.floor(x * canvas.width)), Math.min(canvas.height - 1, Math.floor(y * canvas.height)), 1, 1).data;
        return a ? shades.get([r, g, b].join()) || 0 : 0;
      };
    };
    image.src = href;
    tables.push(table);
  }
  function shownAt(x, y) {
    const table = tables.find(one => y >= one.y && y < one.y + one.tall);
    const shade = table && table.shadeAt ? table.shadeAt((x - left) / width, (y - table.y) / table.tall) : null;
    if (shade === null || !shade) return shade === null ? '' : 'not running';
    if (shade === 255) return `more than ${memory(scale[1])}`;
    const share = (shade - 1) / 79;
    return '\u2248 ' + memory(scale[2] ? scale[0] * (scale[1] / scale[0]) ** share : scale[0] + share * (scale[1] - scale[0]));
  }

  // ---- what is under the pointer ----
  const timeOf = (one, x) => from + Math.max(0, Math.min(1, (x - one.x) / one.wide)) * (to - from);
  let shown = null; // { one, x }
  // All that share a row of pixels.
  const mates = one => heat ? members.filter(other => other.y === one.y) : [one];
  function show(one, x, pointerY) {
    readout.replaceChildren();
    page.replaceChildren();
    shown = one && { one, x };
    if (!one) return;
    const y = pointerY === undefined ? one.y + one.tall / 2 : pointerY;
    const t = timeOf(one, x), clock = dated ? `  ${local(t).toISOString().slice(11, 19)}` : '';
    const drawn = heat ? null : drawnAt(one, x), same = mates(one);
    const value = heat ? shownAt(x, one.y + one.tall / 2) : drawn ? '\u2248 ' + memory(drawn.mib) : 'not running';
    const lines = [[fit(one.name, 'tip head', 320), 'tip head'], [`${clockTime(t)}${clock}  ${value}`, 'tip']];
    if (same.length > 1) lines[0][0] = `the highest of ${same.length} ${nouns[1]}`;
    for (const other of same.slice(0, 6))
      lines.push([`${same.length > 1 ? fit(other.name, 'tip', 200) + '  ' : ''}peak ${memory(other.peak)} at ${clockTime(other.peakAt)}${other.end ? ', ' + other.end : ''}`, 'tip']);
    if (same.length > 6) lines.push([`+ ${same.length - 6} more`, 'tip']);
    if (same.length === 1) lines.push([`ran from ${clockTime(one.first)} to ${clockTime(one.last)}`, 'tip']);
    add(readout, 'rect', { class: 'part shade', x: one.x, y: heat ? one.y : one.y - 14, width: one.wide, height: heat ? Math.max(1, one.tall) : one.tall + 14 });
    add(readout, 'path', { class: 'part hair', d: `M${tenth(x)} ${heat ? top : one.y}V${heat ? below : one.y + one.tall}` });
    if (drawn) add(readout, 'circle', { class: 'part point', cx: tenth(x), cy: tenth(drawn.y), r: 3 });
    drawPanel(readout, lines, x, y);
  }
  function under(event) {
    const area = root.getBoundingClientRect();
    const x = (event.clientX - area.left) / area.width * box.width, y = (event.clientY - area.top) / area.height * box.height;
    const above = heat ? 0 : 16;
    const one = members.find(other => x >= other.x && x <= other.x + other.wide && y >= other.y - above && y < other.y + Math.max(1, other.tall));
    return one ? [one, x, y] : [null];
  }
  root.addEventListener('pointermove', event => show(...under(event)));
  root.addEventListener('pointerdown', event => show(...under(event)));
  root.addEventListener('pointerleave', () => show(null));

  // ---- search ----
  const end = box.width - 24, searchText = 'search /', wide = Math.round(textWidth(searchText, 'tick') + 14);
  const button = add(root, 'g', { class: 'button', role: 'button', tabindex: 0, 'aria-label': `Search ${nouns[1]}` });
  add(button, 'rect', { x: end - wide + 0.5, y: 3.5, width: wide, height: 17, rx: 3 });
  add(button, 'text', { x: tenth(end - wide / 2), y: 15.5, 'text-anchor': 'middle' }, searchText);
  if (top < 40) button.setAttribute('visibility', 'hidden');
  const field = add(root, 'foreignObject', { x: end - Math.min(200, width / 3), y: 3, width: Math.min(200, width / 3), height: 18, display: 'none' });
  const input = add(field, 'input', { type: 'search', 'aria-label': `Search ${nouns[1]}`, placeholder: 'part of a name, or a pattern', spellcheck: 'false' });
  const status = add(root, 'text', { class: 'status', role: 'status', 'aria-live': 'polite', 'text-anchor': 'end', x: end - Math.min(200, width / 3) - 8, y: 15.5 });
  const found = layer('readout', readout);
  let hits = [];
  function search(text) {
    const matches = text ? matcher(text) : () => false;
    hits = members.filter(one => matches(one.name));
    root.classList.toggle('searching', text !== '');
    found.replaceChildren();
    for (const one of members)
      for (const node of one.nodes || []) node.classList.toggle('hit', hits.includes(one));
    if (heat) for (const one of hits.slice(0, 2000)) add(found, 'rect', { class: 'part range', x: left - 7, y: one.y, width: 6, height: Math.max(1, one.tall) });
    status.textContent = text ? `${counted(hits.length)} ${nouns[hits.length === 1 ? 0 : 1]}` : '';
  }
  function openSearch() {
    field.setAttribute('display', 'inline');
    button.setAttribute('display', 'none');
    input.focus({ preventScroll: true });
    input.select();
  }
  function closeSearch() {
    field.setAttribute('display', 'none');
    button.setAttribute('display', 'inline');
    input.value = '';
    search('');
    root.focus({ preventScroll: true });
  }
  button.addEventListener('click', openSearch);
  input.addEventListener('input', () => search(input.value));

  // ---- keys: one stop of the Tab key; arrows move between panels, or along the rows and the time ----
  const across = heat ? 1 : Math.max(1, members.filter(one => one.y === members[0].y).length);
  if (heat) {
    root.setAttribute('aria-roledescription', `rows of ${nouns[1]}`);
    status.setAttribute('aria-atomic', 'true');
  }
  function go(i, x) {
    const one = members[Math.max(0, Math.min(members.length - 1, i))];
    show(one, Math.max(one.x, Math.min(one.x + one.wide, x === undefined ? one.x + (one.peakAt - from) / (to - from) * one.wide : x)));
    if (!heat) {
      for (const other of members) other.nodes[0].setAttribute('tabindex', other === one ? 0 : -1);
      one.nodes[0].focus({ preventScroll: false });
    }
    else status.textContent = [...readout.querySelectorAll('text')].map(node => node.textContent).join(', ');
  }
  root.addEventListener('focusin', event => {
    const one = members.find(other => other.nodes && other.nodes[0] === event.target);
    if (one && !(shown && shown.one === one)) go(one.i);
  });
  function pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const i = shown ? shown.one.i : -1, step = heat ? Math.max(1, mates(members[Math.max(0, i)]).length) : across;
    if (event.target === input) {
      if (event.key === 'Enter' && hits.length) go(hits[0].i);
      else if (event.key === 'Escape') closeSearch();
      else return;
    }
    else if (event.target.closest && event.target.closest('.button') && /^( |Enter)$/.test(event.key)) openSearch();
    else if (event.key === '/') openSearch();
    else if (event.key === 'Escape') { if (root.classList.contains('searching')) closeSearch(); show(null); }
    else if (event.key === 'Enter' && hits.length) go((hits.find(one => one.i > i) || hits[0]).i);
    else if (event.key === 'ArrowDown') go(i < 0 ? 0 : i + step);
    else if (event.key === 'ArrowUp') go(i < 0 ? 0 : i - step);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(members.length - 1);
    else if (/^Arrow(Left|Right)$/.test(event.key) && !heat) go(i + (event.key === 'ArrowLeft' ? -1 : 1));
    else if (/^Arrow(Left|Right)$/.test(event.key)) go(Math.max(0, i), (shown ? shown.x : left) + (event.key === 'ArrowLeft' ? -8 : 8));
    else return;
    event.preventDefault();
  }
  (document.documentElement === root ? document : root).addEventListener('keydown', pressed);

  root.setAttribute('role', 'graphics-document document');
  root.setAttribute('tabindex', 0);
  root.classList.add('living');
}
