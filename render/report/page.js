// Sorting, filtering, the choice of colours, and keys of a report. The page is complete without it.
// It fetches and stores nothing, and makes no markup of text.
(function () {
  'use strict';
  const all = (selector, root) => [...(root || document).querySelectorAll(selector)];
  const root = document.documentElement;
  const said = document.getElementById('said');
  const say = text => { said.textContent = text; };
  for (const node of all('.js')) node.hidden = false;

  const press = (button, name) => {
    for (const other of all('button', button.parentNode)) other.setAttribute('aria-pressed', other === button);
    return button.dataset[name];
  };

  // ---- colours ----
  for (const button of all('button[data-theme]'))
    button.addEventListener('click', () => {
      const theme = press(button, 'theme');
      if (theme === 'auto') delete root.dataset.theme; else root.dataset.theme = theme;
    });

  // ---- sorting ----
  const valueOf = (row, column) => {
    const cell = row.cells[column], text = cell.dataset.v ?? cell.textContent, number = parseFloat(text);
    return text === '' ? null : /^-?[\d.]+(e[-+]?\d+)?$/.test(text) ? number : text.toLowerCase();
  };
  const compare = (a, b) => typeof a === 'number' && typeof b === 'number' ? a - b
    : typeof a === 'number' ? -1 : typeof b === 'number' ? 1 : a < b ? -1 : a > b ? 1 : 0;
  function sort(table, head, column) {
    const body = table.tBodies[0], rows = [...body.rows];
    const isText = rows.some(row => typeof valueOf(row, column) === 'string');
    const now = head.getAttribute('aria-sort');
    const order = now ? (now === 'descending' ? 'ascending' : 'descending') : isText ? 'ascending' : 'descending';
    const sign = order === 'ascending' ? 1 : -1;
    const keyed = rows.map((row, at) => ({ row, at, key: valueOf(row, column) }));
    // what is unknown comes last in both directions
    keyed.sort((a, b) => a.key === null || b.key === null ? (a.key === null) - (b.key === null) || a.at - b.at
      : sign * compare(a.key, b.key) || a.at - b.at);
    for (const other of head.parentNode.cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', order);
    body.append(...keyed.map(({ row }) => row));
    say('sorted by ' + head.textContent + ', ' + order);
  }
  for (const table of all('table.sortable, .rows table'))
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (!head.textContent) return;
      const button = document.createElement('button');
      button.type = 'button';
      head.dataset.title = head.textContent; // a head that is repeated on paper has no buttons
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => sort(table, head, column));
    });

  // ---- long tables ----
  for (const table of all('table.long')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'show';
    const label = () => {
      const folded = table.classList.contains('folded');
      button.textContent = folded ? 'show all ' + table.tBodies[0].rows.length : 'show fewer';
      button.setAttribute('aria-expanded', !folded);
    };
    button.addEventListener('click', () => { table.classList.toggle('folded'); label(); });
    table.classList.add('folded');
    label();
    table.parentNode.after(button);
  }

  // ---- filter ----
  for (const input of all('input[data-filter]')) {
    const lists = all('[data-filtered]').filter(node => node.dataset.filtered === input.dataset.filter);
    const none = document.createElement('p');
    none.className = 'none-left';
    none.textContent = 'no name has that';
    none.hidden = true;
    lists[0].closest('.scroll, .tile-group').before(none);
    input.addEventListener('input', () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const list of lists) {
        if (list.tagName === 'TABLE') shown = 0; // lists of tiles and the table have the same names
        if (list.classList.contains('long')) list.classList.toggle('folded', !wanted);
        for (const item of all('[data-name]', list)) {
          item.hidden = !item.dataset.name.toLowerCase().includes(wanted);
          shown += !item.hidden;
        }
        const group = list.closest('.tile-group');
        if (group) group.classList.toggle('empty', ![...list.children].some(item => !item.hidden));
      }
      none.hidden = shown > 0;
      say(shown + ' shown');
    });
    input.addEventListener('keydown', event => {
      if (event.key === 'Escape' && input.value) {
        input.value = '';
        input.dispatchEvent(new Event('input'));
        event.preventDefault();
      }
    });
  }

  // ---- curves or a table ----
  for (const button of all('button[data-show]'))
    button.addEventListener('click', () => {
      const asRows = press(button, 'show') === 'rows';
      for (const node of all('.tile-group')) node.hidden = asRows;
      for (const node of all('.rows')) node.hidden = !asRows;
    });

  // One tile is in the order of the Tab key; arrows move among them.
  const tiles = all('.tiles a'), topOf = node => node.getBoundingClientRect().top;
  const links = () => tiles.filter(link => !link.parentNode.hidden);
  let current = null;
  const take = (link, focus) => {
    if (current) current.tabIndex = -1;
    current = link;
    link.tabIndex = 0;
    if (focus) link.focus();
  };
  for (const link of tiles) {
    link.tabIndex = -1;
    link.addEventListener('focus', () => take(link));
    link.addEventListener('keydown', event => {
      const shown = links(), at = shown.indexOf(link);
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      // the next row may be of another group, and shorter
      const next = step => {
        let to = at, last;
        const { left, top } = link.getBoundingClientRect();
        while (shown[to] && topOf(shown[to]) === top) to += step;
        if (!shown[to]) return null;
        const row = shown.filter(other => topOf(other) === topOf(shown[to]));
        for (const other of row) if (!last || Math.abs(other.getBoundingClientRect().left - left) < Math.abs(last.getBoundingClientRect().left - left)) last = other;
        return last;
      };
      const to = { ArrowRight: () => shown[at + 1], ArrowLeft: () => shown[at - 1], ArrowDown: () => next(1), ArrowUp: () => next(-1), Home: () => shown[0], End: () => shown[shown.length - 1] }[event.key];
      if (!to) return;
      event.preventDefault();
      if (to()) take(to(), true);
    });
  }
  if (tiles.length) take(tiles[0]);
  for (const input of all('input[data-filter=all]'))
    input.addEventListener('input', () => { if (links().length && !links().includes(current)) take(links()[0]); });

  // ---- folded recordings ----
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest('details');
    if (folded && !folded.open) {
      folded.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener('hashchange', reveal);
  reveal();
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = all('details:not([open])');
    for (const node of opened) node.open = true;
  });
  addEventListener('afterprint', () => { for (const node of opened) node.open = false; });
})();
