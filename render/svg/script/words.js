// Numbers as text, by the rules of format_units.c, and the width of text.
// A tie is rounded to the even digit, as in C; toFixed() rounds it away from 0.
const fixed = (x, n) => /[13579]$/.test(x.toFixed(n)) && /50{20}$/.test(x.toFixed(n + 21)) ?
  (x - 0.1 ** n / 4).toFixed(n) : x.toFixed(n);
const two = n => String(n).padStart(2, '0');
const three = x => x < 9.995 ? 2 : x < 99.95 ? 1 : 0;
const counted = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

function duration(s) {
  s = Math.abs(s);
  const units = (n, a, b, per) => `${Math.floor(n / per)} ${a} ${two(n % per)} ${b}`;
  if (!s) return '0 s';
  if (s < 0.9995e-3) return fixed(s * 1e6, 0) + ' \u00b5s';
  if (s < 0.0995) return fixed(s * 1e3, s < 0.00995 ? 1 : 0) + ' ms';
  if (s < 59.95) return fixed(s, three(s)) + ' s';
  if (s < 3599.5) return units(Math.round(s), 'min', 's', 60);
  if (s < 86370) return units(Math.round(s / 60), 'h', 'min', 60);
  return units(Math.round(s / 3600), 'd', 'h', 24);
}

// How long a call took, with how much that may be off.
function lasted({ start, end, sampled }) {
  const seconds = end - start, doubt = 2 * (sampled || 0);
  if (!doubt) return duration(seconds);
  if (doubt < 0.001 || seconds >= 59.95 || doubt >= 59.95) return `${duration(seconds)} \u00b1${duration(doubt)}`;
  const places = Math.max(0, Math.ceil(-Math.log10(doubt) - 0.05));
  return `${fixed(seconds, places)} s \u00b1${fixed(doubt, places)}`;
}

const memoryUnits = [[1 / 1024, 'KiB'], [1, 'MiB'], [1024, 'GiB'], [1048576, 'TiB']];

// In a fixed unit, with more places for less than half of the last one.
function inUnit(size, sign) {
  const [scale, name, usual] = data.unit, shown = size / scale;
  let places = shown ? usual : 0;
  while (shown && places < 9 && shown < 0.5 * 10 ** -places) places++;
  return `${sign}${fixed(shown, places)} ${name}`;
}

function memory(mib, plus = '') {
  const size = Math.abs(mib);
  if (data.unit) return inUnit(size, mib < 0 ? '\u2212' : plus);
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
