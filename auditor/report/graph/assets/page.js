"use strict";
(() => {
  const all = (selector, root) => [...(root || document).querySelectorAll(selector)];
  const one = (selector, root) => (root || document).querySelector(selector);
  const make = (tag, text) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text });
  const query = one("#q"), hits = one("#hits"), said = one("#said");
  const tableRow = (id) => document.getElementById("t-" + id);
  const state = { filter: "", chosen: new Map(), help: new Map(), quiet: false };

  // What a table's row holds is what is searched and shown: there is no second copy of it.
  const texts = new Map();
  const textOf = (id) => {
    if (!texts.has(id)) {
      const row = tableRow(id);
      texts.set(id, row ? all("th, td", row).slice(0, row.dataset.search || 99).map((cell) => cell.textContent).join(" ").toLowerCase() : "");
    }
    return texts.get(id);
  };
  const neededBy = new Map();
  for (const link of all("td.needs a")) {
    const target = link.getAttribute("href").slice(1);
    if (!neededBy.has(target)) neededBy.set(target, []);
    neededBy.get(target).push(link.closest("tr").id.slice(2));
  }

  // --- search and filters

  function search(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (id) => words.every((word) => textOf(id).includes(word));
    let packages = 0, parts = 0;
    for (const view of all(".view")) {
      for (const group of all(".group", view)) {
        let shown = 0;
        for (const row of all(".row", group)) {
          const fits = !state.filter || row.classList.contains(state.filter) || group.classList.contains(state.filter);
          row.hidden = !(fits && matches(row.id));
          const listed = tableRow(row.id);
          if (listed) listed.hidden = row.hidden;
          shown += row.hidden ? 0 : 1;
        }
        if (!view.hidden) packages += shown;
        group.hidden = shown === 0;
        for (const folder of [group, ...all(".more", group)]) {
          if (folder !== group) folder.hidden = all(".row", folder).every((row) => row.hidden);
          if (words.length || state.filter) {
            if (folder.dataset.was === undefined) folder.dataset.was = String(folder.open);
            folder.open = true;
          } else if (folder.dataset.was !== undefined) {
            folder.open = folder.dataset.was === "true";
            delete folder.dataset.was;
          }
        }
        const count = one(".shown", group);
        count.textContent = shown === Number(count.dataset.all) ? count.dataset.all : shown + " of " + count.dataset.all;
      }
      const none = one(".nothing", view);
      none.hidden = all(".group", view).some((group) => !group.hidden) || (!words.length && !state.filter);
    }
    for (const graph of all(".graph")) {
      graph.classList.toggle("searching", words.length > 0);
      for (const node of all(".node", graph)) {
        const hit = words.length > 0 && matches(node.id);
        node.classList.toggle("hit", hit);
        const listed = tableRow(node.id);
        if (listed) listed.hidden = words.length > 0 && !hit;
        parts += hit && !graph.closest("[hidden]") ? 1 : 0;
      }
    }
    const plural = (count, word) => count + " " + word + (count === 1 ? "" : "s");
    hits.textContent = words.length ? plural(packages, "package") + ", " + plural(parts, "part") + " of the build"
      : state.filter ? plural(packages, "package") : "";
    for (const list of all("[data-roving]")) rove(list);
    remember();
  }

  function remember() {
    if (state.quiet) return;
    const parts = [];
    if (query.value) parts.push("q=" + encodeURIComponent(query.value));
    for (const node of state.chosen.values()) parts.push("select=" + node.id);
    try { history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search); } catch { /* file: in a sandbox */ }
  }

  // --- one stop of Tab for each list, arrow keys inside

  const visible = (element) => !element.closest("[hidden]") && !element.closest("details:not([open]) > :not(summary)");
  const items = (list) => all("button", list).filter(visible);
  function rove(list, to) {
    const buttons = items(list);
    const current = to || buttons.find((button) => button.getAttribute("aria-current") === "true")
      || buttons.find((button) => button.tabIndex === 0) || buttons[0];
    for (const button of all("button", list)) button.tabIndex = button === current ? 0 : -1;
  }
  function focus(button) {
    rove(button.closest("[data-roving]"), button);
    button.focus();
    button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  const center = (element) => {
    const box = element.getBoundingClientRect();
    return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  };
  function nearest(from, buttons, key) {
    const [x, y] = center(from);
    const along = key === "ArrowUp" || key === "ArrowDown" ? 1 : 0, sign = key === "ArrowDown" || key === "ArrowRight" ? 1 : -1;
    let best = null, least = Infinity;
    for (const button of buttons) {
      const there = center(button), step = sign * (there[along] - [x, y][along]), aside = Math.abs(there[1 - along] - [x, y][1 - along]);
      if (button === from || step < 4) continue;
      const cost = step + aside * (along ? 6 : 2);
      if (cost < least) { least = cost; best = button; }
    }
    return best;
  }
  function move(event) {
    const button = event.target.closest("[data-roving] button");
    if (!button || event.ctrlKey || event.altKey || event.metaKey) return false;
    const list = button.closest("[data-roving]");
    const scope = list.dataset.roving === "rows" ? all("[data-roving=rows]", list.closest(".view")).flatMap(items) : items(list);
    const at = scope.indexOf(button);
    let next = null;
    if (event.key === "Home") next = scope[0];
    else if (event.key === "End") next = scope[scope.length - 1];
    else if (list.dataset.roving === "rows") next = { ArrowDown: scope[at + 1], ArrowUp: scope[at - 1], PageDown: scope[Math.min(at + 10, scope.length - 1)], PageUp: scope[Math.max(at - 10, 0)] }[event.key];
    else if (event.key.startsWith("Arrow")) next = nearest(button, scope, event.key);
    if (next) focus(next);
    return Boolean(next) || event.key.startsWith("Arrow");
  }

  // --- selection

  const linked = (cell) => all("a", cell).map((link) => link.getAttribute("href").slice(1));
  function details(node) {
    const box = document.createDocumentFragment(), row = tableRow(node.id), table = row.closest("table");
    const close = make("button", "Esc");
    close.className = "close";
    close.setAttribute("aria-label", "Clear the selection");
    close.addEventListener("click", () => clear(true));
    box.append(close, make("h3", one("th", row).textContent));
    const list = make("dl");
    const titles = all("thead th", table).map((head) => head.textContent);
    if (table.classList.contains("parts")) list.className = "reach";
    all("th, td", row).forEach((cell, index) => {
      if (index === 0 || (!cell.textContent.trim() && !cell.dataset.empty)) return;
      const group = make("div"), value = make("dd");
      if (cell.childNodes.length) value.append(...[...cell.childNodes].map((child) => child.cloneNode(true)));
      else value.textContent = cell.dataset.empty;
      group.append(make("dt", titles[index]), value);
      list.append(group);
    });
    const others = neededBy.get(node.id) || [];
    if (others.length) {
      const group = make("div"), value = make("dd");
      others.forEach((id, index) => {
        const link = make("a", one("th", tableRow(id)).textContent);
        link.href = "#" + id;
        value.append(index ? ", " : "", link);
      });
      group.append(make("dt", "Needed by"), value);
      list.append(group);
    }
    box.append(list);
    return box;
  }
  function highlight(graph, node) {
    graph.classList.toggle("chosen", Boolean(node));
    const levels = new Map();
    let up = new Set();
    if (node) {
      const row = tableRow(node.id);
      up = new Set(linked(one(".made", row)));
      ["sure", "bytes", "late"].forEach((name) => linked(one("." + name, row)).forEach((id) => levels.set(id, name)));
    }
    const words = { sure: "again", bytes: "if bytes", late: "if key" };
    for (const other of all(".node", graph)) {
      const level = levels.get(other.id), part = up.has(other.id), me = other === node;
      for (const name of ["sure", "bytes", "late"]) other.classList.toggle(name, level === name);
      other.classList.toggle("part", part && !level);
      other.classList.toggle("me", me);
      other.classList.toggle("on", Boolean(me || level || part));
      one("em", other).textContent = me ? "" : level ? words[level] : part ? "part of it" : "";
      one("em", other).hidden = me || !(level || part);
    }
    for (const path of all("path[data-from]", graph)) {
      const from = path.dataset.from, to = path.dataset.to, me = node && node.id;
      const down = Boolean(node) && (from === me || levels.has(from)) && levels.has(to);
      const above = Boolean(node) && (to === me || up.has(to)) && up.has(from);
      path.classList.toggle("down", down);
      path.classList.toggle("weak", down && (levels.get(from) === "late" || levels.get(to) === "late"));
      path.classList.toggle("up", above && !down);
      path.classList.toggle("on", (down || above) && (!path.classList.contains("quiet") || from === me || to === me));
    }
  }
  function select(node) {
    const button = node.matches("button") ? node : one("button", node);
    const area = node.closest("section"), card = one(".card", area);
    const before = state.chosen.get(area);
    if (before) (before.matches("button") ? before : one("button", before)).removeAttribute("aria-current");
    if (!state.help.has(card)) state.help.set(card, [...card.childNodes]);
    state.chosen.set(area, node);
    button.setAttribute("aria-current", "true");
    card.replaceChildren(details(node));
    card.scrollTop = 0;
    for (const other of all(".card")) other.classList.toggle("open", other === card);
    const graph = node.closest(".graph");
    if (graph) highlight(graph, node);
    rove(button.closest("[data-roving]"), button);
    said.textContent = "Selected: " + button.getAttribute("aria-label") + ". Details are in the region after this list.";
    remember();
  }
  function clear(refocus) {
    let last = null;
    for (const [area, node] of state.chosen) {
      const button = node.matches("button") ? node : one("button", node);
      button.removeAttribute("aria-current");
      const card = one(".card", area), graph = one(".graph", area);
      card.replaceChildren(...state.help.get(card));
      card.classList.remove("open");
      if (graph) highlight(graph, null);
      last = button;
    }
    const any = state.chosen.size > 0;
    if (any) said.textContent = "Nothing selected.";
    state.chosen.clear();
    if (any && refocus && last && visible(last)) focus(last);
    remember();
    return any;
  }
  function open(id) {
    const node = document.getElementById(id);
    if (!node || !node.matches(".row, .node")) return false;
    const view = node.closest(".view");
    if (view && view.hidden) show(view.id);
    if (node.hidden || node.closest("[hidden]")) { query.value = ""; filter(""); search(""); }
    for (let folder = node.closest("details"); folder; folder = folder.parentElement.closest("details")) folder.open = true;
    select(node);
    focus(node.matches("button") ? node : one("button", node));
    return true;
  }

  // --- views and tiles

  function show(id) {
    for (const part of all("[data-view]")) part.hidden = part.dataset.view !== id && part.dataset.view !== "";
    for (const view of all(".view")) view.hidden = view.id !== id;
    const pair = document.getElementById(id).dataset.build;
    for (const build of all(".build")) build.hidden = build.id !== pair && all(".build").length > 1;
    for (const button of all(".views button")) button.setAttribute("aria-pressed", String(button.dataset.show === id));
    search(query.value);
  }
  function filter(name) {
    state.filter = state.filter === name ? "" : name;
    for (const tile of all(".tile")) tile.setAttribute("aria-pressed", String(Boolean(state.filter) && tile.dataset.filter === state.filter));
  }

  // --- events

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && open(link.getAttribute("href").slice(1))) { event.preventDefault(); return; }
    const tile = event.target.closest(".tile");
    if (tile) { filter(tile.dataset.filter); search(query.value); return; }
    const tab = event.target.closest(".views button");
    if (tab) { show(tab.dataset.show); return; }
    const node = event.target.closest(".node, .row button");
    if (node) select(node.matches(".node") ? node : node.closest(".row"));
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target === query;
    if (event.key === "/" && !typing) { event.preventDefault(); query.focus(); query.select(); return; }
    if (event.key === "Escape") {
      event.preventDefault();
      if (typing && query.value) { query.value = ""; search(""); return; }
      if (clear(!typing)) return;
      if (query.value || state.filter) { query.value = ""; filter(""); search(""); }
      return;
    }
    if (typing) {
      if (event.key !== "ArrowDown" && event.key !== "Enter") return;
      const first = all(".view:not([hidden]) [data-roving=rows]").flatMap(items)[0] || all(".node.hit")[0];
      if (first) { event.preventDefault(); focus(first); }
      return;
    }
    if (move(event)) event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    const button = event.target.closest("[data-roving] button");
    if (button) rove(button.closest("[data-roving]"), button);
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.matches && event.target.matches(".group, .more")) all("[data-roving]", event.target).forEach((list) => rove(list));
  }, true);
  query.addEventListener("input", () => search(query.value));
  one(".search").addEventListener("submit", (event) => event.preventDefault());

  function start() {
    state.quiet = true;
    const wanted = new URLSearchParams(location.hash.slice(1));
    const first = all(".view")[0];
    query.value = wanted.get("q") || "";
    if (first && all(".view").length > 1) show(first.id);
    search(query.value);
    for (const id of wanted.getAll("select")) open(id);
    const anchor = location.hash.slice(1);
    if (anchor && !anchor.includes("=")) open(anchor);
    state.quiet = false;
    document.documentElement.dataset.ready = "true";
  }
  window.addEventListener("hashchange", () => { const id = location.hash.slice(1); if (!id.includes("=")) open(id); });
  window.addEventListener("load", start); // after the browser has gone to the address's fragment, which takes the focus
})();
