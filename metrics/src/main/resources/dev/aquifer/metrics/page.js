'use strict';
(function () {
  const every = 2000;
  const given = new URLSearchParams(location.search).get('token');
  const headers = given ? { Authorization: 'Bearer ' + given } : {};
  const byId = id => document.getElementById(id);
  let before = null;
  let paused = false;

  const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
  const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
  const count = n => n == null ? '–' : number.format(n);
  const share = (part, all) => all > 0 ? one.format(100 * part / all) + ' %' : '–';
  const millis = s => s == null ? '–' : s < 10 ? one.format(1000 * s) + ' ms' : one.format(s) + ' s';
  const bytes = n => {
    if (n == null) return '–';
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let i = 0;
    while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
    return one.format(n) + ' ' + units[i];
  };

  // Everything is set as text or through the style object: names of caches and nodes are not trusted.
  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text != null) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function table(id, heads, rows, empty) {
    const made = byId(id);
    if (!rows.length) {
      made.replaceChildren(element('caption', empty, 'empty'));
      return;
    }
    const head = element('tr');
    heads.forEach(h => {
      const cell = element('th', h.text || h, h.left ? 'left' : '');
      cell.scope = 'col';
      head.append(cell);
    });
    const body = element('tbody');
    rows.forEach(row => {
      const line = element('tr');
      row.forEach((cell, i) => {
        if (i === 0) {
          const name = element('th', cell);
          name.scope = 'row';
          name.title = cell;
          line.append(name);
        } else if (cell instanceof Node) {
          const holder = element('td', null, 'left');
          holder.append(cell);
          line.append(holder);
        } else {
          line.append(element('td', cell, heads[i].left ? 'left' : ''));
        }
      });
      body.append(line);
    });
    const top = element('thead');
    top.append(head);
    made.replaceChildren(top, body);
  }

  /** The meters of one name, as [tags, values]. */
  const named = (now, name) => now.meters.filter(m => m.name === name);

  /** Values of one statistic, summed by a tag. */
  function sums(now, name, tag, statistic) {
    const by = new Map();
    named(now, name).forEach(m => {
      const key = m.tags[tag] || '';
      by.set(key, (by.get(key) || 0) + (m.values[statistic] || 0));
    });
    return by;
  }

  const total = map => Array.from(map.values()).reduce((a, b) => a + b, 0);
  const keys = (now, tag, ...names) => Array.from(new Set(
      now.meters.filter(m => names.includes(m.name)).map(m => m.tags[tag] || ''))).sort();
  const only = (now, tag, key) => ({ meters: now.meters.filter(m => m.tags[tag] === key) });

  function rate(now, name) {
    if (!before || now.at <= before.at) return '–';
    const moved = total(sums(now, name, '', 'count')) - total(sums(before, name, '', 'count'));
    return moved < 0 ? '–' : count(1000 * moved / (now.at - before.at));
  }

  function bar(tiers, all) {
    const made = element('div', null, 'bar');
    made.setAttribute('role', 'img');
    made.setAttribute('aria-label', ['l1', 'l2', 'stale', 'source']
        .map(t => t + ' ' + share(tiers.get(t) || 0, all)).join(', '));
    ['l1', 'l2', 'stale', 'source'].forEach(t => {
      const part = element('i', null, t);
      part.style.width = all > 0 ? 100 * (tiers.get(t) || 0) / all + '%' : '0';
      made.append(part);
    });
    return made;
  }

  function tiles(now) {
    const tiers = sums(now, 'cache.gets', 'tier', 'count');
    const all = total(tiers);
    const hits = all - (tiers.get('source') || 0);
    const roles = sums(now, 'aquifer.routes', 'role', 'count');
    const windows = total(sums(now, 'aquifer.windows.shown', '', 'count'));
    const fetched = total(sums(now, 'aquifer.windows.fetched', '', 'count'));
    const heap = now.meters.filter(m => m.name === 'jvm.memory.used' && m.tags.area === 'heap')
        .reduce((sum, m) => sum + (m.values.value || 0), 0);
    const cpu = named(now, 'process.cpu.usage')[0];
    const shown = [
      ['Reads a second', rate(now, 'cache.gets'), count(all) + ' so far'],
      ['Hits', share(hits, all), share(tiers.get('l1') || 0, all) + ' from memory'],
      ['Statements a second', rate(now, 'aquifer.routes'), count(total(roles)) + ' so far'],
      ['On replicas', share(roles.get('replica') || 0, total(roles)), count(roles.get('primary') || 0) + ' on the primary'],
      ['Buckets not fetched', share(windows - fetched, windows), count(windows) + ' shown'],
    ];
    if (heap > 0) shown.push(['Heap', bytes(heap), cpu ? 'CPU ' + share(cpu.values.value, 1) : '']);
    byId('tiles').replaceChildren(...shown.map(([name, value, small]) => {
      const tile = element('div');
      const figure = element('dd', value);
      figure.append(element('small', small));
      tile.append(element('dt', name), figure);
      return tile;
    }));
  }

  function caches(now) {
    const rows = keys(now, 'cache', 'cache.gets', 'cache.loads').map(cache => {
      const its = only(now, 'cache', cache);
      const tiers = sums(its, 'cache.gets', 'tier', 'count');
      const all = total(tiers);
      const loads = sums(its, 'cache.loads', 'outcome', 'count');
      const seconds = total(sums(its, 'cache.loads', 'outcome', 'total_time')) ||
          total(sums(its, 'cache.loads', 'outcome', 'total'));
      const loaded = total(loads);
      return [cache, count(all), share(all - (tiers.get('source') || 0), all), bar(tiers, all),
        count(loaded), loaded ? millis(seconds / loaded) : '–', count(loads.get('failure') || 0),
        count(total(sums(its, 'aquifer.cache.faults', 'fault', 'count')))];
    });
    table('caches', ['Cache', 'Reads', 'Hits', { text: 'Answered from', left: true }, 'Loads', 'Mean load',
      'Failed loads', 'Faults'], rows, 'No cache was read yet.');
  }

  function nodes(now) {
    const current = (its, name, tag) => {
      const found = named(its, name).find(m => m.values.value === 1);
      return found ? found.tags[tag] : '–';
    };
    const gauge = (its, name) => {
      const found = named(its, name)[0];
      return found ? found.values.value : null;
    };
    const names = keys(now, 'node', 'aquifer.routes', 'aquifer.replica.lag', 'aquifer.node.state', 'aquifer.node.role');
    const rows = names.map(node => {
      const its = only(now, 'node', node);
      const reasons = Array.from(sums(its, 'aquifer.routes', 'reason', 'count')).filter(r => r[1] > 0)
          .sort((a, b) => b[1] - a[1]).map(([why, n]) => why + ' ' + count(n)).join(', ');
      return [node, current(its, 'aquifer.node.role', 'role'), current(its, 'aquifer.node.state', 'state'),
        millis(gauge(its, 'aquifer.replica.lag')), bytes(gauge(its, 'aquifer.replica.lag.bytes')),
        count(total(sums(its, 'aquifer.routes', '', 'count'))), reasons || '–'];
    });
    table('nodes', ['Node', { text: 'Role', left: true }, { text: 'State', left: true }, 'Lag', 'Log behind',
      'Statements', { text: 'Why there', left: true }], rows, 'No statement was routed yet.');
  }

  function windows(now) {
    const rows = keys(now, 'measurement', 'aquifer.windows.shown').map(measurement => {
      const its = only(now, 'measurement', measurement);
      const of = name => total(sums(its, name, '', 'count'));
      const shown = of('aquifer.windows.shown');
      const fetched = of('aquifer.windows.fetched');
      const requests = total(sums(its, 'aquifer.windows.fetches', '', 'count'));
      const seconds = total(sums(its, 'aquifer.windows.fetches', '', 'total_time')) ||
          total(sums(its, 'aquifer.windows.fetches', '', 'total'));
      return [measurement, count(shown), count(fetched), share(shown - fetched, shown), count(of('aquifer.windows.requests')),
        requests ? millis(seconds / requests) : '–', bytes(of('aquifer.windows.bytes')), count(of('aquifer.windows.refusals'))];
    });
    table('windows', ['Measurement', 'Buckets shown', 'Fetched', 'Not fetched', 'Requests', 'Mean request',
      'Bytes', 'Refused'], rows,
        'No time series was queried yet.');
  }

  function voids(now) {
    const rows = [];
    sums(now, 'cache.invalidations', 'scope', 'count').forEach((n, scope) => rows.push(['Voided: ' + scope, count(n)]));
    sums(now, 'aquifer.cache.faults', 'fault', 'count').forEach((n, fault) => rows.push(['Fault: ' + fault, count(n)]));
    const listeners = total(sums(now, 'aquifer.listener.failures', '', 'count'));
    if (listeners > 0) rows.push(['Commit listeners that failed', count(listeners)]);
    table('voids', ['What', 'Times'], rows, 'Nothing was voided and nothing failed.');
  }

  function reports(all) {
    const holder = byId('reports');
    while (holder.children.length > all.length) holder.lastChild.remove();
    all.forEach((report, n) => {
      const id = 'report' + n;
      if (!byId(id)) {
        const section = element('section');
        const heading = element('h2');
        heading.id = 'h-' + id;
        section.setAttribute('aria-labelledby', heading.id);
        const scroll = element('div', null, 'scroll');
        scroll.tabIndex = 0;
        scroll.setAttribute('role', 'region');
        scroll.setAttribute('aria-labelledby', heading.id);
        const made = element('table');
        made.id = id;
        scroll.append(made);
        section.append(heading, scroll);
        holder.append(section);
      }
      byId('h-' + id).textContent = report.title;
      // Figures are aligned to the right, words to the left.
      const figures = i => report.rows.every(row => /^[-–\d]/.test(row[i] || '–'));
      table(id, report.columns.map((text, i) => ({ text, left: !figures(i) })), report.rows, 'Nothing yet.');
    });
  }

  function status(text) {
    const pill = byId('status');
    if (pill.textContent !== text) pill.textContent = text;
    pill.className = 'pill ' + (['up', 'degraded', 'down'].includes(text) ? text : '');
  }

  async function get(path) {
    const answer = await fetch(path, { headers, cache: 'no-store', credentials: 'omit' });
    if (!answer.ok && answer.status !== 503) throw new Error('status ' + answer.status);
    return answer.json();
  }

  async function refresh() {
    if (!paused && !document.hidden) {
      try {
        const [now, health, tables] = await Promise.all([get('meters.json'), get('health'), get('reports.json')]);
        tiles(now);
        caches(now);
        nodes(now);
        windows(now);
        voids(now);
        reports(tables.reports);
        status(health.status);
        byId('when').textContent = new Date(now.at).toLocaleTimeString() + (now.cut ? ', cut short' : '');
        before = now;
      } catch (e) {
        status('no answer');
      }
    }
    setTimeout(refresh, every);
  }

  byId('pause').addEventListener('click', event => {
    paused = !paused;
    event.target.setAttribute('aria-pressed', String(paused));
    event.target.textContent = paused ? 'Go on' : 'Pause';
  });
  refresh();
})();
