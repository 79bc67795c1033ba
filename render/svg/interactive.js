// Tooltips, zoom, search and keys of an SVG. The script is the last element of the file, after the
// <metadata> that svg_data.c writes. It fetches and stores nothing, and puts text of a recording
// into text nodes and attributes only. Without scripting the picture is complete; the script changes
// existing elements and adds few.
(function () {
  'use strict';
  const SVG = 'http://www.w3.org/2000/svg', HTML = 'http://www.w3.org/1999/xhtml';
  const root = document.currentScript && document.currentScript.ownerSVGElement;
  const group = name => root.querySelector(':scope > g.' + name);
  const metadata = root && root.querySelector(':scope > metadata');
  if (!metadata || root.classList.contains('living')) return;

  // ---- data ----

  const data = JSON.parse(metadata.textContent);
  const [left, top, width, height] = data.plot, right = left + width, floor = top + height;
  const [lanesTop, lanesHeight] = data.lanes;
  const { below } = data;
  const [from, to, timeStep] = data.time, [low, high, memoryStep] = data.memory;
  const [headroom, small, tickY, tickGap, fixedAxis] = data.page;
  const full = { from, to, low, high };
  const tenth = x => Math.round(x * 10) / 10;
  const fullY = v => floor - (v - low) / (high - low) * height;
  const rowHeight = data.row; // of a function that ran all of the time
  let view = full;

  const digits = {};
  for (let code = 33, digit = 0; code < 127; code++)
    if (!'"&\'<>\\'.includes(String.fromCharCode(code))) digits[code] = digit++;

  function reader(text) {
    let at = 0;
    const next = () => {
      for (let value = 0, scale = 1; ; scale *= 44) {
        const digit = digits[text.charCodeAt(at++)];
        if (digit < 44) return value + digit * scale;
        value += (digit - 44) * scale;
      }
    };
    const signed = () => { const n = next(); return n % 2 ? -(n + 1) / 2 : n / 2; };
    return { next, signed, more: () => at < text.length };
  }

  const functions = data.functions.map(([name, label, calls]) => ({ name, label, calls }));
  const abouts = [];
  for (const read = reader(data.abouts), last = { t: 0 }; read.more();) {
    const number = read.next();
    if (!number) { abouts.push({}); continue; }
    const about = { number: number - 1, of: functions[number - 1], calls: read.next(), open: read.next() };
    about.start = from + (last.t += read.signed()) * timeStep;
    about.end = about.start + read.signed() * timeStep;
    about.enter = low + read.signed() * memoryStep;
    about.exit = about.enter + read.signed() * memoryStep;
    about.bits = about.calls > 1 ? [read.next(), read.next()] : bits([number - 1]);
    abouts.push(about);
  }

  function bits(numbers) {
    const words = [0, 0];
    for (const n of numbers) words[n < 32 ? 0 : 1] |= 1 << Math.min(n, 63) % 32;
    return words;
  }

  // The points of a path as it is drawn: relative but for the first, in lines or in steps.
  function pathPoints(node) {
    const points = [];
    let x = 0, y = 0;
    const put = () => points.push([from + (tenth(x) - left) / width * (to - from), low + (floor - tenth(y)) / height * (high - low)]);
    for (const [, letter, text] of node.getAttribute('d').matchAll(/([Mlhv])([^A-Za-z]*)/g)) {
      const numbers = text.match(/-?(\d*\.)?\d+/g).map(Number);
      for (let i = 0; i < numbers.length; put()) {
        if (letter !== 'v') x += numbers[i++];
        if (letter !== 'h') y += numbers[i++];
      }
    }
    return points;
  }

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
          item.rounded = length === 1; // to a tenth of a pixel
          item.points.cut = ends; // bits: the first, the last point is no sample
          item.filled = /^(area|total|strip-area)$/.test(item.role); // down to the floor
          if (item.filled) item.points.splice(-2);
          if (item.role === 'lane-rule') floorY = fullY(item.points[0][1]) - 0.5;
          item.floor = kind === 'strips' ? floorY : floor;
          if (item.role === 'density' && item.about) item.about.density = true;
        }
        else if (kind === 'curves' || kind === 'marks')
          [item.t, item.v] = place();
        if (kind === 'lanes')
          item.owner = item.about ? item : items[items.length - 1].owner;
        items.push(item);
        itemOf.set(node, item);
      }
    if (read.more()) return; // the file was edited: leave it a plain picture
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
    if (!/^(curve|child|sample|layer|kind|control-group|limit|strip$)/.test(item.role)) continue;
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

  // ---- texts: the same as in format_units.c ----

  // A tie is rounded to the even digit, as in C; toFixed() rounds it away from 0.
  const fixed = (x, n) => /[13579]$/.test(x.toFixed(n)) && /50{20}$/.test(x.toFixed(n + 21)) ?
    (x - 0.1 ** n / 4).toFixed(n) : x.toFixed(n);
  const two = n => String(n).padStart(2, '0');
  const three = x => x < 9.995 ? 2 : x < 99.95 ? 1 : 0;
  const counted = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

  function duration(s) {
    s = Math.abs(s);
    const units = (n, a, b, per) => `${Math.floor(n / per)} ${a} ${two(n % per)} ${b}`;
    if (s < 0.9995e-3) return fixed(s * 1e6, 0) + ' \u00b5s';
    if (s < 0.0995) return fixed(s * 1e3, s < 0.00995 ? 1 : 0) + ' ms';
    if (s < 59.95) return fixed(s, three(s)) + ' s';
    if (s < 3599.5) return units(Math.round(s), 'min', 's', 60);
    if (s < 86370) return units(Math.round(s / 60), 'h', 'min', 60);
    return units(Math.round(s / 3600), 'd', 'h', 24);
  }

  const memoryUnits = [[1 / 1024, 'KiB'], [1, 'MiB'], [1024, 'GiB'], [1048576, 'TiB']];

  function memory(mib, plus = '') {
    const size = Math.abs(mib);
    let unit = 0;
    while (unit < 3 && size >= memoryUnits[unit + 1][0] * 0.9995) unit++;
    const shown = size / memoryUnits[unit][0], sign = mib < 0 ? '\u2212' : plus;
    if (!shown) return sign + '0 MiB';
    const places = unit === 0 ? +(shown < 9.95) : unit === 1 ? 1 : Math.max(1, three(shown));
    return `${sign}${fixed(shown, places)} ${memoryUnits[unit][1]}`;
  }

  const changed = mib => Math.abs(mib) < 0.5 / 1024 ? memory(0, '\u00b1') : memory(mib, '+');

  // A time, as exact as one pixel.
  function moment(s) {
    const pixel = (view.to - view.from) / width;
    const places = Math.max(0, Math.min(6, Math.ceil(-Math.log10(pixel))));
    if (data.share) return fixed(s, places) + ' %';
    if (Math.abs(s) < 60) return fixed(s, places) + ' s';
    const whole = Math.floor(s / 60), rest = fixed(s - whole * 60, places).padStart(places ? places + 3 : 2, '0');
    if (s < 3600) return `${whole} min ${rest} s`;
    if (s < 86400) return `${Math.floor(whole / 60)} h ${two(whole % 60)} min ${rest} s`;
    return `${Math.floor(whole / 1440)} d ${Math.floor(whole / 60) % 24} h ${two(whole % 60)} min`;
  }

  // A date in the time zone of the machine that drew the picture: read its fields as UTC.
  const [origin, zone] = data.origin, dated = origin > 3.2e8 && origin < 1e11 && !data.share;
  const local = s => new Date((origin + zone + s) * 1000);

  function percent(share) {
    const value = share * 100;
    return (value > 0 && value < 0.1 ? '< 0.1' : fixed(value, value < 10 || value > 99.94 && value < 100 ? 2 : 1)) + ' %';
  }

  const pen = document.createElementNS(HTML, 'canvas').getContext('2d');
  const fonts = {}, widths = new Map();
  function textWidth(text, role) {
    if (!fonts[role]) {
      const probe = add(root, 'text', { class: role }), style = getComputedStyle(probe);
      fonts[role] = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
      probe.remove();
    }
    const key = role + ' ' + text;
    if (!widths.has(key)) {
      pen.font = fonts[role];
      widths.set(key, pen.measureText(text).width);
    }
    return widths.get(key);
  }

  // The longest beginning that fits, with an ellipsis; '' if it has fewer than three letters.
  function fit(text, role, room) {
    if (textWidth(text, role) <= room) return text;
    const letters = Array.from(text);
    let few = 0, many = letters.length;
    while (few < many) {
      const half = (few + many + 1) >> 1;
      if (textWidth(letters.slice(0, half).join('') + '\u2026', role) <= room) few = half;
      else many = half - 1;
    }
    return few < 3 ? '' : letters.slice(0, few).join('').trimEnd() + '\u2026';
  }

  // ---- ticks: the same as in time_ticks.c and memory_ticks.c ----

  const day = 86400;
  const timeSteps = [];
  for (let power = -6; power < 0; power++) timeSteps.push(...[1, 2, 5].map(n => +`${n}e${power}`));
  timeSteps.push(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, day,
    2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day, 3640 * day, 36400 * day, 1e11, 1e12, 1e13, 1e14);

  function relative(s, step, end) {
    const whole = Math.round(s), minutes = Math.floor(whole / 60), hours = Math.floor(whole / 3600);
    if (data.share) return fixed(s, step < 1 ? Math.ceil(-Math.log10(step) - 1e-9) : 0) + ' %';
    if (!s) return end < 60 ? '0 s' : '0';
    if (end < 1e-3) return fixed(s * 1e6, 0) + ' \u00b5s';
    if (step < 0.1 && end < 1) return fixed(s * 1e3, step >= 1e-3 ? 0 : step >= 1e-4 ? 1 : step >= 1e-5 ? 2 : 3) + ' ms';
    if (step < 1) {
      const places = step >= 0.1 ? 1 : step >= 0.01 ? 2 : step >= 1e-3 ? 3 : 6;
      return s < 60 ? fixed(s, places) + ' s' : `${Math.floor(s / 60)} min ${fixed(s % 60, places).padStart(places + 3, '0')} s`;
    }
    if (end < 60) return whole + ' s';
    if (whole < 3600 || end < 3600)
      return whole % 60 === 0 ? minutes + ' min' : whole < 60 ? whole + ' s' : `${minutes} min ${two(whole % 60)} s`;
    if (whole < day || end < 1.5 * day)
      return whole % 60 ? `${hours} h ${two(minutes % 60)} min ${two(whole % 60)} s` : whole % 3600 ? `${hours} h ${two(minutes % 60)} min` : hours + ' h';
    return Math.floor(whole / day) + ' d' + (whole % day ? ` ${hours % 24} h` : '');
  }

  function calendarTicks(step) {
    const ticks = [], first = Math.floor((origin + zone + view.from) / day) * day - origin - zone;
    const text = (s, options) => local(s).toLocaleString('en', { timeZone: 'UTC', ...options });
    for (let s = first; s <= view.to && ticks.length < 32; s += step)
      if (s >= view.from) ticks.push([s, local(s).getUTCHours() ? `${two(local(s).getUTCHours())}:00`
        : view.to - view.from > 300 * day ? `${local(s).getUTCDate()} ${text(s, { month: 'short' })} ${local(s).getUTCFullYear()}`
        : `${text(s, { weekday: 'short' })} ${local(s).getUTCDate()} ${text(s, { month: 'short' })}`]);
    return ticks;
  }

  function timeTicks() {
    const span = view.to - view.from, ticks = [];
    const step = timeSteps.find(one => {
      const room = width * one / span, last = Math.floor(view.to / one);
      const wide = Math.max(...[last, last - 1].map(n => textWidth(relative(n * one, one, view.to), 'tick')));
      return room >= (!small ? 80 : span < 1.5 * day ? 44 : 96) && wide + (small ? wide : 40) <= room;
    }) || 1e14;
    if (span >= 1.5 * day && dated && step >= 3600 && step <= 3640 * day)
      return calendarTicks(Math.max(step, 21600));
    for (let n = Math.ceil(view.from / step - 1e-9); n * step <= view.to + step * 1e-9 && ticks.length < 32; n++)
      ticks.push([n * step, relative(n * step, step, view.to)]);
    return ticks;
  }

  const roundStep = least => {
    const power = 10 ** Math.floor(Math.log10(least));
    return power * [1, 2, 5, 10].find(n => least / power <= n * 1.0000001);
  };
  function memoryStepOf(bottom, end, highest) {
    const span = end - bottom, fifth = (highest - bottom) / 5 * (1 + 1e-9);
    const least = roundStep(span / Math.max(1, Math.min(Math.max(Math.min(3, height / 10), height / 38), 7)));
    const near = step => {
      const above = Math.ceil(highest / step - 1e-9) * step, below = Math.floor(highest / step + 1e-9) * step;
      return highest - below <= fifth || above <= end && above - highest <= fifth;
    };
    for (let step = least; step <= span * 1.001; step = roundStep(step * 1.5)) if (near(step)) return step;
    for (let step = roundStep(least / 2.6); step >= least / 11 && height * step / span >= 10; step = roundStep(step / 2.6))
      if (near(step)) return step;
    return least;
  }

  function memoryTicks() {
    let unit = 0;
    while (unit < 3 && view.high >= memoryUnits[unit + 1][0]) unit++;
    const [scale, name] = memoryUnits[unit], bottom = view.low / scale, end = view.high / scale, ticks = [];
    const step = memoryStepOf(bottom, end, bottom + (end - bottom) * (height - headroom) / height);
    const places = step >= 1 ? 0 : Math.ceil(-Math.log10(step) - 1e-9);
    for (let n = Math.ceil(bottom / step - 1e-9); n * step <= end * (1 + 1e-12) && ticks.length < 32; n++)
      ticks.push([n * step * scale, n <= 0 ? '0' : `${fixed(n * step, places)} ${name}`]);
    return ticks;
  }

  // ---- drawing ----

  function add(parent, name, attributes = {}, text) {
    const node = document.createElementNS(name === 'input' ? HTML : SVG, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  }

  const layer = (name, next) => root.insertBefore(add(root, 'g', { class: name }), next);

  // Original attribute values, for reset().
  const original = new Map();
  function change(node, values) {
    if (!original.has(node)) original.set(node, {});
    const kept = original.get(node);
    for (const name in values) {
      if (!(name in kept)) kept[name] = node.getAttribute(name);
      setOrRemove(node, name, values[name]);
    }
  }
  function setOrRemove(node, name, value) {
    if (value === null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }

  const X = (t, scale = view) => left + (t - scale.from) / (scale.to - scale.from) * width;
  const Y = (v, scale = view) => floor - (v - scale.low) / (scale.high - scale.low) * height;
  const timeAt = x => view.from + (x - left) / width * (view.to - view.from);
  const inside = t => t >= view.from && t <= view.to;

  // The part of a line, or of a closed shape, on one side of a moment.
  function cut(points, moment, side, closed) {
    const out = [], keeps = t => side * (t - moment) >= 0;
    points.forEach((point, i) => {
      const before = i ? points[i - 1] : closed ? points[points.length - 1] : point;
      if (keeps(before[0]) !== keeps(point[0]))
        out.push([moment, before[1] + (point[1] - before[1]) * (moment - before[0]) / (point[0] - before[0])]);
      if (keeps(point[0])) out.push(point);
    });
    return out;
  }
  const shown = (points, closed) => cut(cut(points, view.from, 1, closed), view.to, -1, closed);
  const path = (points, end = '') => points.length < 2 ? '' :
    'M' + points.map(([t, v]) => tenth(X(t)) + ' ' + tenth(Y(v))).join('L') + end;

  // As in scales.c: the axis starts at 0, unless memory changes little; it includes the control group
  // and its limit if the curve stays high enough.
  function memoryAxis([least, most]) {
    if (fixedAxis) return { low, high };
    const bottom = most - least < most / 3 && most > least ? Math.max(0, least - (most - least) * 0.15) : 0;
    return { low: bottom, high: bottom + (most - bottom) * height / (height - headroom) };
  }
  const lengthOf = range => { const axis = memoryAxis(range); return axis.high - axis.low; };
  function rangeOf(wanted) {
    const range = [Infinity, 0], widen = v => { range[0] = Math.min(range[0], v); range[1] = Math.max(range[1], v); };
    for (const item of items.filter(wanted))
      if (item.points && item.kind !== 'strips' && item.role !== 'slope') for (const point of shown(item.points)) widen(point[1]);
      else if (/^(rug|lane-bar)$/.test(item.role) && item.about && item.about.calls === 1) {
        if (inside(item.about.start)) widen(item.about.enter);
        if (inside(item.about.end)) widen(item.about.exit);
      }
    return range;
  }
  function rescaleMemory() {
    let range = rangeOf(item => !ofGroup(item.role));
    if (!isFinite(range[0])) range[0] = 0;
    range[1] = range[1] || 1 / 1024;
    const group = rangeOf(item => item.role === 'control-group'), limits = rangeOf(item => item.role === 'limit');
    const most = lengthOf(range) * (data.group ? Infinity : group[1] >= limits[0] * 0.9 ? 12 : 4);
    const fits = ([low, high]) => {
      const wider = [Math.min(range[0], low), Math.max(range[1], high)], good = lengthOf(wider) <= most;
      if (good) range = wider;
      return good;
    };
    const near = fits(group);
    for (const item of items)
      if (ofGroup(item.role)) item.away = !near || item.role === 'limit' && !fits(rangeOf(other => other === item));
    Object.assign(view, memoryAxis(range));
  }

  function redrawCurve(item) {
    if (!item.points) return item.node.localName === 'text' ? change(item.node, { display: 'none' }) : redrawMark(item);
    const closed = item.role === 'layer';
    item.shown = shown(item.points, closed);
    const first = item.shown[0], last = item.shown[item.shown.length - 1];
    if (ofGroup(item.role)) change(item.node, { display: item.away ? 'none' : null });
    change(item.node, { d: path(item.shown, closed ? 'z' : item.filled && first ? `L${tenth(X(last[0]))} ${floor}L${tenth(X(first[0]))} ${floor}z` : '') });
  }

  // Strips and rows of density keep their height.
  function redrawStrip(item) {
    if (/^(lane-rule|whole)$/.test(item.role)) return;
    const closed = item.role === 'density', points = shown(item.points, closed), first = points[0], last = points[points.length - 1];
    const lines = points.length < 2 ? '' : 'M' + points.map(([t, v]) => tenth(X(t)) + ' ' + tenth(fullY(v))).join('L');
    change(item.node, { d: lines + (!lines ? '' : closed ? 'z' : item.filled ? `L${tenth(X(last[0]))} ${item.floor}L${tenth(X(first[0]))} ${item.floor}z` : '') });
  }

  // A line across the plot, its label, or the tint above a limit, which is not drawn for a part.
  function redrawNote(item, at, dx, dy) {
    const upright = at.role === 'note-mark', seen = upright ? inside(at.t) : at.v >= view.low && at.v <= view.high;
    change(item.node, { display: seen && item.role !== 'note-area' ? null : 'none',
      transform: upright ? `translate(${tenth(dx)} 0)` : `translate(0 ${tenth(dy)})` });
  }
  function redrawMark(item) {
    const at = item.dot || item, dx = X(at.t) - X(at.t, full), dy = Y(at.v) - Y(at.v, full);
    const values = { display: inside(at.t) && item.role !== 'bracket' ? null : 'none' };
    if (/^note/.test(at.role)) return redrawNote(item, at, dx, dy);
    if (item.node.localName === 'circle') Object.assign(values, { cx: tenth(X(at.t)), cy: tenth(Y(at.v)) });
    else if (item.role === 'peak') values.transform = item.level ? `translate(0 ${tenth(dy)})` : `translate(${tenth(dx)} 0)`;
    else if (item.node.localName === 'text') {
      const wide = textWidth(item.node.textContent, item.role), x = X(at.t);
      if (item.crossed) values.x = tenth(Math.max(left, Math.min(x - wide / 2, right - wide)));
      else values.transform = `translate(${tenth(dx)} ${tenth(dy)})`;
    } else values.transform = `translate(${tenth(dx)} ${tenth(dy)})`;
    change(item.node, values);
  }

  // Where the last bar of each row ends: a wide bar keeps one pixel clear of it.
  const ends = new Map();
  function redrawBox(item) {
    const { about, node } = item.owner || item, tone = node.classList[1], row = item.kind === 'calls' && node.getAttribute('y');
    let x0 = Math.max(X(about.start), left);
    const x1 = Math.min(X(about.end), right);
    if (row && item.role !== 'at-once') x0 = Math.max(x0, (ends.has(row) ? ends.get(row) : -Infinity) + (x1 - x0 > 3 ? 1 : 0));
    const wide = x1 - x0 - (x1 - x0 >= 3 ? 1 : 0), visible = x1 >= left && x0 <= right;
    if (!visible) {
      item.wide = 0;
      change(item.node, { display: 'none' });
    } else if (!item.owner || item === item.owner) {
      item.x = x0;
      item.wide = Math.max(item.role === 'at-once' ? x1 - x0 : wide, item.kind === 'lanes' ? 1 : 0.5);
      ends.set(row, x0 + item.wide);
      const role = item.kind === 'lanes' ? item.wide < 2.5 ? 'box-fine ' : 'box ' : item.role + ' ';
      change(node, { x: tenth(Math.min(x0, right - 1)), width: tenth(item.wide), display: null, class: role + tone });
    } else if (item.role === 'box-edge')
      change(item.node, { x: tenth(x0), display: wide >= 6 && about.start >= view.from ? null : 'none' });
    else if (item.role === 'box-open')
      change(item.node, { transform: `translate(${tenth(x0 + wide - (X(about.end, full) - 1))} 0)`, display: wide >= 6 && about.end <= view.to ? null : 'none' });
  }

  // Name, duration and change of memory, as many as fit; else the beginning of the name.
  function caption(about, room) {
    const label = about.of.label, time = duration(about.end - about.start);
    const texts = about.calls > 1 ? [`${label}  \u00d7${about.calls}`, label]
      : [`${label}  ${time}  ${changed(about.exit - about.enter)}`, `${label}  ${time}`, label];
    return texts.find(text => textWidth(text, 'box-name') <= room) || fit(label, 'box-name', room);
  }

  function drawCaptions() {
    for (const item of boxes) {
      const tall = +item.node.getAttribute('height');
      if (item.kind !== 'lanes' || tall < 13 || item.wide < 19) continue;
      const text = caption(item.about, item.wide - 13);
      if (text) itemOf.set(add(captions, 'text', { class: 'box-name', 'xml:space': 'preserve', x: tenth(item.x + 8), y: +item.node.getAttribute('y') + tall / 2 + 4 }, text), item);
    }
  }

  // As in brackets.c: the longest calls whose brackets stand clear of those of longer ones.
  let drawn = [];
  function drawBrackets() {
    const placed = [], highest = Math.min(...bracketed.map(topOf));
    drawn = [];
    for (const item of bracketed) {
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
    const lines = items.filter(item => /^(curve|kind|control-group|limit)/.test(item.role) && item.points && !item.away).map(item => item.shown);
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
      label(x, y, `${about.of.label} ${duration(about.end - about.start)}${about.open ? ' \u2026' : ''}`, `bracket-name ${node.classList[1]}`, item));
    for (const one of [...series.filter(other => /^(kind|control-group)/.test(other.role)), ...series.filter(other => other.rank === 2 && other.role !== 'strip').slice(-8)]) {
      if (items.some(item => item.about === one.about && item.away)) continue;
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

  // ---- tooltip ----

  // The point of a curve nearest to a moment, and the range of its pixel column.
  function nearest(one, t) {
    let best = null, distance = Infinity;
    for (const piece of one.pieces) {
      if (!piece.length) continue;
      let a = 0, b = piece.length - 1;
      while (b - a > 1) { const half = (a + b) >> 1; if (piece[half][0] < t) a = half; else b = half; }
      for (const i of [a, b]) if (Math.abs(piece[i][0] - t) < distance) {
        distance = Math.abs(piece[i][0] - t);
        best = { piece, i };
      }
    }
    if (!best) return null;
    if (ofGroup(one.role) && distance > 4 * (view.to - view.from) / width) return held(best.piece, t);
    const { piece, i } = best, between = t > piece[0][0] && t < piece[piece.length - 1][0], column = Math.floor(X(piece[i][0]));
    if (!between && distance > 8 * (view.to - view.from) / width) return null;
    let least = piece[i][1], most = least;
    for (const step of [-1, 1])
      for (let j = i + step; j >= 0 && j < piece.length && Math.floor(X(piece[j][0])) === column; j += step) {
        least = Math.min(least, piece[j][1]);
        most = Math.max(most, piece[j][1]);
      }
    return { t: piece[i][0], v: piece[i][1], y: one.role === 'strip' ? one.floor - piece[i][1] / data.strip : Y(piece[i][2] || piece[i][1]), least, most };
  }

  // The tick of a moment: the one with the highest sum in its pixel column, else the nearest.
  function tickAt(t) {
    const columnOf = moment => Math.floor(X(moment) + 1e-6), column = columnOf(t), pixel = (view.to - view.from) / width;
    let a = 0, b = ticks.length - 1, best = null;
    while (b - a > 1) { const half = (a + b) >> 1; if (ticks[half].t < t) a = half; else b = half; }
    for (const [begin, step] of [[a, -1], [a + 1, 1]])
      for (let i = begin; ticks[i] && columnOf(ticks[i].t) === column; i += step)
        if (!best || ticks[i].total > best.total) best = ticks[i];
    if (best) return best;
    const near = Math.abs(ticks[a].t - t) <= Math.abs(ticks[b].t - t) ? ticks[a] : ticks[b];
    const bridged = t > ticks[a].t && t < ticks[b].t && !ticks[b].gap;
    return bridged || Math.abs(near.t - t) <= 8 * pixel ? near : null;
  }

  const pointOf = (t, v, y = Y(v)) => ({ t, v, y, least: v, most: v });

  // The numbers of a tick: its sum, then kinds of memory and the control group, then its processes.
  function tickLines(tick, points, t) {
    const lines = [], line = (name, point, tone, sign = '', after = '') =>
      lines.push({ text: `${name}${name ? '  ' : ''}${sign}${rangeText(point)}${after}`, tone, point });
    const rest = tick.rest === 1 ? '\u2265 ' : '', curve = points[0];
    line(tick.main.recording || (data.sum ? '' : 'all processes'), pointOf(tick.t, tick.total, data.sum ? undefined : null), undefined, rest);
    if (data.sum && curve && curve.most > curve.least && Math.floor(X(curve.t)) === Math.floor(X(tick.t)))
      line('', { ...curve, y: null }, undefined, '', ' within this pixel');
    // A call may have proved more between two ticks, where no sample is.
    const between = data.sum && data.all && nearest(series[0], t);
    if (between && Math.abs(X(between.t) - X(t)) < 4 && between.v > tick.total + memoryStep && Math.floor(X(between.t)) !== Math.floor(X(tick.t))
      && ticks.every(other => Math.abs(other.t - between.t) > 3 * timeStep))
      line('', pointOf(between.t, between.v), undefined, '\u2265 ', ` at ${moment(between.t)}, in a call`);
    series.forEach((one, i) => {
      const own = tick.values.find(([track]) => track.series === one), point = own ? pointOf(tick.t, own[1]) : points[i];
      if (one.rank !== 1 || !point) return;
      const other = !ofGroup(one.role) && Math.abs(point.t - tick.t) > 3 * timeStep ? ` at ${moment(point.t)}` : '';
      line(one.about.text, point, one.role === 'limit' ? 'bound' : one.tone || '', '', other);
    });
    const parts = tick.values.filter(([track]) => track.kind & 1);
    if (!tick.rest) parts.unshift([tick.main, parts.reduce((left, [, v]) => left - v, tick.total)]);
    parts.sort((a, b) => b[1] - a[1]);
    const most = parts.length > 12 ? 11 : 12;
    for (const [track, v, count] of parts.slice(0, most)) {
      const one = track.series, layer = one && one.role === 'layer' && points[series.indexOf(one)];
      const y = layer ? layer.y : one && one.role === 'strip' ? one.floor - v / data.strip
        : one && one.role !== 'layer' || !track.kind && !data.sum ? Y(v) : null;
      const name = track.kind === 3 ? track.name.replace(/ \u00d7[\d,]+$/, '') + (count > 1 ? ` \u00d7${counted(count)}` : '') : track.name;
      line(name, pointOf(tick.t, v, y), track.series ? track.series.tone || '' : '');
    }
    const others = parts.slice(most);
    if (others.length) line(`+ ${others.length} more`, pointOf(tick.t, others.reduce((sum, [, v]) => sum + v, 0), null));
    if (tick.rest === 1) lines.push({ text: `${tick.main.name}  unknown`, tone: '' });
    return lines;
  }

  // The value of a step line, which holds between its points.
  function held(piece, t) {
    const after = piece.findIndex(point => point[0] >= t), b = piece[after], a = piece[after - 1] || b;
    if (!b || t < piece[0][0]) return null;
    const v = b[0] > a[0] ? a[1] + (b[1] - a[1]) * (t - a[0]) / (b[0] - a[0]) : b[1], y = Y(v);
    return { t, v, y: y < top ? null : y, least: v, most: v };
  }

  function rangeText(point) {
    const least = memory(point.least), most = memory(point.most);
    const [number, unit] = least.split(' ');
    return least === most ? most : `${most.endsWith(unit) ? number : least} \u2013 ${most}`;
  }

  function callLines(about) {
    const count = about.calls > 1 && !about.density ? `${counted(about.calls)} calls, the longest ` : '';
    const rest = about.text.slice(about.text.indexOf(about.of.name) + about.of.name.length);
    return [count + about.of.name, ...rest.replace(/^\u2069?: /, '').split(' \u00b7 ')];
  }

  // The share of its column that a function ran.
  function shareAt(item, t) {
    let upper = Infinity, lower = -Infinity;
    item.points.forEach(([t1, v], i) => {
      const [t0] = item.points[i ? i - 1 : item.points.length - 1];
      if (t0 === t1 || Math.min(t0, t1) > t || Math.max(t0, t1) <= t) return;
      upper = Math.min(upper, fullY(v));
      lower = Math.max(lower, fullY(v));
    });
    return Math.max(0, Math.min(1, tenth(lower - upper + 0.001) > 0 ? (lower - upper) / rowHeight : 0));
  }
  function shareText(item, t) {
    const share = shareAt(item, t);
    return !item.rounded ? percent(share) : share > 0 && share < 0.01 ? '< 1 %' : fixed(share * 100, 0) + ' %';
  }

  // What runs at a moment, of one box.
  function runningText(box, t) {
    const call = box.about, span = call.end - call.start;
    if (call.density) return `${call.of.label}  ${shareText(box, t)} of the time`;
    if (box.role === 'at-once') return callLines(call).slice(0, 2).join('  ').replace(/ at \S+ \S+ for .*/, '');
    return call.calls > 1 ? callLines(call)[0] : `${call.of.label}  ${duration(span)}  ${changed(call.exit - call.enter)}${call.open ? ', never returned' : ''}`;
  }

  // Shows lines of [text, class, colour] in a panel next to x, y.
  function showPanel(lines, x, y) {
    let wide = 0;
    lines.forEach(line => {
      line[0] = fit(line[0], 'tip', 460) || line[0];
      wide = Math.max(wide, textWidth(line[0], line[1]) * (line[1] === 'tip head' ? 1.08 : 1) + (line[2] !== undefined ? 12 : 0));
    });
    wide += 16;
    const tall = lines.length * 15 + 10, box = root.viewBox.baseVal;
    const px = x + 14 + wide > box.width ? Math.max(2, x - 14 - wide) : x + 14;
    const py = Math.max(2, Math.min(y + 12, box.height - tall - 2));
    add(readout, 'rect', { class: 'part panel', x: tenth(px), y: tenth(py), width: tenth(wide), height: tall, rx: 4 });
    lines.forEach(([text, className, tone, mib], i) => {
      const marked = tone !== undefined, y = tenth(py + 18 + i * 15);
      if (marked) add(readout, 'rect', { class: 'part mark ' + tone, x: tenth(px + 8), y: y - 8, width: 8, height: 8 });
      const exact = mib === undefined ? {} : { 'data-mib': mib };
      add(readout, 'text', { class: 'part ' + className, x: tenth(px + (marked ? 20 : 8)), y, ...exact }, text);
    });
  }

  // Shows the values at a moment, and the call under the pointer or with the focus.
  function hover(t, item, y) {
    clear(readout);
    if (t === null) return;
    const tick = ticks.length ? tickAt(t) : null;
    const points = series.map(one => ticks.length && !tick && !ofGroup(one.role) ? null : nearest(one, tick ? tick.t : t));
    const lines = [], at = tick || points.find((point, i) => point && !series[i].rank) || points.find(point => point);
    const exact = at && Math.abs(X(at.t) - X(t)) < 8 ? at.t : t, x = X(exact);
    const about = item && item.about;
    if (about && about.of) {
      const x0 = Math.max(left, X(about.start)), x1 = Math.min(right, X(about.end));
      add(readout, 'rect', { class: 'part shade', x: tenth(x0), y: top, width: tenth(Math.max(1, x1 - x0)), height: height });
      const [head, ...rest] = callLines(about);
      lines.push([head, 'tip head', item.node.classList[1]], ...rest.map(text => [text, 'tip']));
      if (about.density) lines.push([`here ${shareText(item, t)} of the time`, 'tip']);
    }
    if (inside(exact)) {
      add(readout, 'path', { class: 'part hair', d: `M${tenth(x)} ${top}V${below}` });
      const clock = dated ? `  ${local(exact).toISOString().slice(11, to - from < 60 ? 23 : 19)}` : '';
      lines.push([moment(exact) + clock, about ? 'tip' : 'tip head']);
      if (at && exact !== at.t) lines.push([`sampled at ${moment(at.t)}`, 'tip']);
      const values = tick ? tickLines(tick, points, t) : points.map((point, i) => [point, series[i]]).filter(([point]) => point)
        .sort((a, b) => a[1].rank - b[1].rank || b[0].v - a[0].v).map(([point, one]) => ({
          text: (one.about ? one.about.text + '  ' : '') + rangeText(point) + (ofGroup(one.role) || Math.abs(X(point.t) - X(at.t)) < 8 ? '' : ` at ${moment(point.t)}`), point,
          tone: one.role === 'limit' ? 'bound' : one.about ? one.tone || '' : undefined }));
      if (!tick && values.length > 12) values.splice(11, Infinity, { text: `+ ${values.length - 11} more` });
      for (const { text, point, tone } of values) {
        if (point && tone !== 'bound' && point.y !== null && inside(point.t)) add(readout, 'circle', { class: 'part point ' + (tone || ''), cx: tenth(X(point.t)), cy: tenth(point.y), r: 3 });
        lines.push([text, 'tip', tone, point && point.v]);
      }
    }
    if (!about) {
      const running = boxes.filter(box => box.about.start <= exact && box.about.end >= exact && (!box.about.density || shareAt(box, exact) > 0));
      for (const box of running.slice(0, 10)) lines.push([runningText(box, exact), 'tip', box.node.classList[1]]);
      if (running.length > 10) lines.push([`+ ${running.length - 10} more`, 'tip']);
    }
    showPanel(lines, x, y);
  }

  // ---- mouse ----

  function place(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
    return { x, y, t: timeAt(Math.max(left, Math.min(x, right))), inside: x >= left && x <= right && y >= top && y <= below };
  }

  const callAt = event => {
    const item = itemOf.get(event.target), owner = item && (item.owner || item);
    return owner && owner.about && owner.about.of ? owner : null;
  };

  let drag = null, waiting = null;
  root.addEventListener('pointermove', event => {
    if (!waiting) requestAnimationFrame(() => { const last = waiting; waiting = null; moved(last); });
    waiting = event;
  });
  function moved(event) {
    const at = place(event);
    if (drag && !event.buttons) drag = null;
    if (!drag) return hover(at.inside ? at.t : null, callAt(event), at.y);
    clear(readout);
    const x0 = Math.min(X(drag.t), X(at.t)), x1 = Math.max(X(drag.t), X(at.t));
    add(readout, 'rect', { class: 'part range', x: tenth(x0), y: top, width: tenth(x1 - x0), height: tenth(below - top) });
    const [a, b] = [drag.t, at.t].sort((s, u) => s - u);
    showPanel([[`${moment(a)} \u2013 ${moment(b)}`, 'tip head'], [duration(b - a), 'tip']], x1, at.y);
  }
  root.addEventListener('pointerleave', () => { if (!drag) { waiting = null; requestAnimationFrame(() => { if (!waiting) hover(null); }); } });

  // With Shift, dragging selects text.
  root.addEventListener('mousedown', event => {
    if (event.button || event.shiftKey || !place(event).inside) return;
    event.preventDefault();
    root.focus({ preventScroll: true });
  });
  root.addEventListener('pointerdown', event => {
    const at = place(event);
    if (event.button || event.shiftKey || !at.inside) return;
    drag = { x: event.clientX, t: at.t, item: callAt(event) };
    document.addEventListener('pointerup', drop, { once: true });
  });
  function drop(event) {
    const { x, t, item } = drag;
    drag = null;
    clear(readout);
    if (Math.abs(event.clientX - x) >= 4) { const end = place(event).t; zoom(Math.min(t, end), Math.max(t, end)); }
    else if (item) zoomTo(item.about);
  }
  root.addEventListener('dblclick', event => { if (place(event).inside) reset(); });
  root.addEventListener('wheel', event => {
    const at = place(event);
    if (!event.ctrlKey || !at.inside) return;
    event.preventDefault();
    zoomBy(Math.exp(Math.sign(event.deltaY) * 0.3), at.t);
  }, { passive: false });

  // ---- search ----

  let pattern = '';

  // A regular expression if it is valid, else a substring; both ignore case.
  function matcher(text) {
    try { const expression = new RegExp(text, 'i'); return name => expression.test(name); }
    catch (error) { const part = text.toLowerCase(); return name => name.toLowerCase().includes(part); }
  }

  // The share of the time in which any of the functions ran; null: unknown.
  function shareOf(numbers) {
    if (!data.states) return null;
    let sum = 0;
    for (const read = reader(data.states); read.more();) {
      const steps = read.next();
      let hit = false;
      for (let n = read.next(); n > 0; n--) if (numbers.has(read.next())) hit = true;
      if (hit) sum += steps;
    }
    return sum / 1e9;
  }

  // 2: all calls match; 1: some of them do.
  let isHit = () => 0;
  function search(text) {
    pattern = text;
    const matches = matcher(text), numbers = new Set();
    functions.forEach((one, i) => { if (text && matches(one.name)) numbers.add(i); });
    const [a, b] = bits(numbers);
    isHit = about => numbers.has(about.number) ? 2 : about.of && (about.bits[0] & a || about.bits[1] & b) ? 1 : 0;
    mark();
    if (!text) return status.textContent = '';
    const calls = [...numbers].reduce((sum, i) => sum + functions[i].calls, 0), share = shareOf(numbers);
    status.textContent = calls ? `${counted(calls)} call${calls === 1 ? '' : 's'}${share === null ? '' : `, ${percent(share)} of the time`}` : 'no call';
  }

  function mark() {
    root.classList.toggle('searching', pattern !== '');
    for (const [node, item] of itemOf) {
      const owner = item && (item.owner || item);
      const hit = owner && owner.about && pattern ? isHit(owner.about) : 0;
      node.classList.toggle('hit', hit === 2);
      node.classList.toggle('among', hit === 1);
    }
  }

  function openSearch(text) {
    field.setAttribute('display', 'inline');
    searchButton.setAttribute('display', 'none');
    if (text !== undefined) { input.value = text; search(text); }
    input.focus({ preventScroll: true });
    input.select();
  }
  function closeSearch() {
    field.setAttribute('display', 'none');
    searchButton.setAttribute('display', 'inline');
    input.value = '';
    search('');
    root.focus({ preventScroll: true });
  }

  // ---- keyboard ----

  // All boxes are one stop of the Tab key; arrows move along a row and between rows.
  const rowAt = new Map();
  for (const item of boxes) {
    const y = topOf(item);
    if (!rowAt.has(y)) rowAt.set(y, []);
    rowAt.get(y).push(item);
  }
  const rows = [...rowAt.keys()].sort((a, b) => a - b).map(y => rowAt.get(y).sort((a, b) => a.about.start - b.about.start));
  rows.forEach((row, r) => row.forEach((item, i) => { item.row = r; item.index = i; }));
  let stop = rows.length ? rows[0][0] : null;

  function go(item) {
    if (!item) return;
    stop.node.setAttribute('tabindex', -1);
    stop = item;
    stop.node.setAttribute('tabindex', 0);
    if (item.about.end < view.from || item.about.start > view.to) zoomTo(item.about);
    item.node.focus({ preventScroll: true });
  }
  function neighbour(item, key) {
    if (key === 'ArrowLeft') return rows[item.row][item.index - 1];
    if (key === 'ArrowRight') return rows[item.row][item.index + 1];
    const row = rows[item.row + (key === 'ArrowUp' ? -1 : 1)], middle = (item.about.start + item.about.end) / 2;
    const away = other => Math.max(other.about.start - middle, middle - other.about.end, 0);
    return row && row.reduce((a, b) => away(b) < away(a) ? b : a);
  }

  root.addEventListener('focusin', event => {
    const item = itemOf.get(event.target);
    if (item && item.about) hover(Math.max(view.from, Math.min((item.about.start + item.about.end) / 2, view.to)), item, topOf(item) + 10);
  });

  const keys = {
    Escape: () => pattern || input === document.activeElement ? closeSearch() : reset(),
    '/': () => openSearch(),
    '+': () => zoomBy(0.5), '=': () => zoomBy(0.5), '-': () => zoomBy(2), 0: reset,
    b: () => root.classList.toggle('bare'),
    ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25),
  };
  function pressed(event) {
    const item = itemOf.get(event.target), button = event.target.closest && event.target.closest('.button');
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target === input && event.key !== 'Escape') {
      if (event.key === 'Enter') go(boxes.find(box => isHit(box.about)));
      return;
    }
    if (button && /^( |Enter)$/.test(event.key)) button.dispatchEvent(new MouseEvent('click'));
    else if (item && item.about && event.key === 'Enter') zoomTo(item.about);
    else if (item && item.about && /^Arrow/.test(event.key) && !event.shiftKey) go(neighbour(item, event.key));
    else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  }
  // A picture alone in its window handles all keys; within a page, only while it has the focus.
  (document.documentElement === root ? document : root).addEventListener('keydown', pressed);

  // ---- start ----

  ['memory-axis', 'time-axis', 'names', 'peak-parts'].forEach(name => group(name) && group(name).classList.add('fixed'));
  const facts = group('page').querySelector('.facts'), factsY = facts ? +facts.getAttribute('y') : top < 40 ? 15 : top - 13;
  if (facts) facts.classList.add('fixed');
  if (group('columns')) group('columns').remove();
  const axes = layer('axes', group('curves'));
  add(axes.parentNode.insertBefore(add(root, 'g'), group('curves')), 'rect', { class: 'field', x: left, y: top, width, height: below - top });
  const captions = layer('lanes captions', (group('lanes') || metadata).nextSibling);
  const marks = layer('marks', group('names'));
  const names = layer('names', group('names').nextSibling);
  const heading = layer('page', metadata);
  const readout = layer('readout', metadata);

  function button(text, y, name, act) {
    const wide = textWidth(text, 'tick') + 14;
    const node = add(root, 'g', { class: 'button', role: 'button', tabindex: 0, 'aria-label': name });
    add(node, 'rect', { x: Math.round(right - wide) + 0.5, y, width: Math.round(wide), height: 17, rx: 3 });
    add(node, 'text', { x: tenth(right - wide / 2), y: y + 12, 'text-anchor': 'middle' }, text);
    node.addEventListener('click', act);
    return node;
  }
  const searchButton = button('search /', 3.5, 'Search functions', () => openSearch());
  const resetButton = button('reset Esc', factsY - 12.5, 'Show all of the time', reset);
  resetButton.setAttribute('display', 'none');
  if (!functions.length || top < 40) searchButton.setAttribute('visibility', 'hidden');
  const fieldWidth = Math.min(200, width / 3);
  const field = add(root, 'foreignObject', { x: right - fieldWidth, y: 3, width: fieldWidth, height: 18, display: 'none' });
  const input = add(field, 'input', { type: 'search', 'aria-label': 'Search functions', placeholder: 'part of a name, or a pattern', spellcheck: 'false' });
  input.addEventListener('input', () => search(input.value));
  const status = add(root, 'text', { class: 'status', role: 'status', 'aria-live': 'polite', 'text-anchor': 'end', x: right - fieldWidth - 8, y: 15.5 });
  const legend = group('legend');
  if (legend) legend.addEventListener('click', event => {
    const text = event.target.classList.contains('legend-name') && event.target.textContent.replace(/\u2026$/, '');
    const one = text && functions.find(other => other.label.startsWith(text));
    if (one) openSearch('^' + one.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') + '$');
  });

  root.setAttribute('role', 'graphics-document document');
  root.setAttribute('tabindex', 0);
  for (const item of items) {
    if (!item.about || !item.about.text || item.kind === 'names') continue;
    item.node.setAttribute('role', 'graphics-symbol');
    item.node.setAttribute('aria-label', item.about.text);
    if (item.row === undefined) continue;
    item.node.setAttribute('aria-roledescription', item.about.calls > 1 ? 'calls' : 'call');
    item.node.setAttribute('tabindex', item === stop ? 0 : -1);
  }
  root.classList.add('living');
})();
