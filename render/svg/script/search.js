// Search.
let pattern = '', searchStatus = '';

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

// 2: all calls match, or the process does; 1: some of the calls do.
let isHit = () => 0, isFoundName = () => false;
function search(text) {
  pattern = text;
  const matches = matcher(text), numbers = new Set();
  functions.forEach((one, i) => { if (text && matches(one.name)) numbers.add(i); });
  const processes = data.window && text ? data.window.rows.map(([, name]) => name).filter(matches) : [];
  const [a, b] = bits(numbers);
  isHit = about => numbers.has(about.number) || about.text && (about.of ? processes.some(name => ofProcess(about, name)) : processes.length && matches(about.text)) ? 2
    : about.of && (about.bits[0] & a || about.bits[1] & b) ? 1 : 0;
  isFoundName = name => processes.length > 0 && matches(name);
  root.classList.toggle('finds-processes', processes.length > 0);
  mark();
  const ofTree = tree ? searchTree(numbers) : '';
  searchStatus = text ? [searchText(numbers, processes.length), ofTree].filter(Boolean).join(' \u00b7 ') : '';
  status.textContent = searchStatus;
  keepLink();
}

function searchText(numbers, processes) {
  const calls = [...numbers].reduce((sum, i) => sum + functions[i].calls, 0), share = shareOf(numbers), found = [];
  if (calls) found.push(`${counted(calls)} call${calls === 1 ? '' : 's'}${share === null ? '' : `, ${percent(share)} of the time`}`);
  if (processes) found.push(`${counted(processes)} process${processes === 1 ? '' : 'es'}`);
  return found.join(' \u00b7 ') || 'no call';
}

// A short message that a screen reader speaks.
function announce(text) {
  status.textContent = text;
  setTimeout(() => { if (status.textContent === text) status.textContent = searchStatus; }, 1500);
}

function mark() {
  root.classList.toggle('searching', pattern !== '');
  for (const [node, item] of itemOf) {
    const owner = item && (item.owner || item);
    const hit = owner && owner.about && pattern ? isHit(owner.about) : 0;
    node.classList.toggle('hit', hit === 2);
    node.classList.toggle('among', hit === 1);
  }
  for (const node of root.querySelectorAll('.child-name')) node.classList.toggle('hit', isFoundName(node.textContent));
}

function openSearch(text, focus = true) {
  field.setAttribute('display', 'inline');
  searchButton.setAttribute('display', 'none');
  menuButton.setAttribute('display', 'none');
  if (text !== undefined) { input.value = text; search(text); }
  if (!focus) return;
  input.focus({ preventScroll: true });
  input.select();
}
function closeSearch(focus = true) {
  field.setAttribute('display', 'none');
  searchButton.setAttribute('display', 'inline');
  menuButton.setAttribute('display', 'inline');
  input.value = '';
  search('');
  if (focus) root.focus({ preventScroll: true });
}
