// The view that the address names, and the way from one to the next.

(() => {
  const root = document.documentElement;
  const summaries = JSON.parse(byId("summaries").textContent);
  const sites = summaries.map((summary, number) => new Site(number, summary));
  sites.forEach((site) => { site.several = sites.length > 1; });
  const content = byId("content");
  const status = byId("status");

  const themeButton = byId("theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const nameTheme = () => { themeButton.textContent = isDark() ? "Light theme" : "Dark theme"; };
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  prefersDark.addEventListener("change", nameTheme);
  nameTheme();

  if (typeof DecompressionStream === "undefined") {
    content.replaceChildren(el("h1", {}, document.title),
      el("p", {}, "This browser is too old to unpack the data of this page: it needs DecompressionStream (Chrome 80, Firefox 113, Safari 16.4, or later). The extracts have all that it would show."));
    root.dataset.ready = "true";
    return;
  }

  const VIEWS = { tables: tablesView, lineage: lineageView, queries: queriesView, people: peopleView, advice: adviceView, run: runView };
  const NAMES = [["", "Overview"], ["tables", "Tables"], ["lineage", "Lineage"], ["queries", "Queries"], ["people", "Users"], ["advice", "Advice"], ["run", "Runs"]];

  const address = () => {
    const params = new URLSearchParams(location.hash.slice(1).replace(/\+/g, "%2B"));
    const site = sites.length === 1 ? sites[0] : sites.find((each) => each.summary.site === params.get("site"));
    return { params, site };
  };

  // Of many large sites the page may have no more than the key figures.
  const hasMore = (site) => Boolean(site && byId(`data-${site.number}-head`));

  const navigate = (site, params) => {
    const at = params.get("view") || (params.has("table") ? "tables" : params.has("statement") ? "queries" : params.has("search") ? null : "");
    const current = (is) => (is ? "page" : null);
    byId("nav").replaceChildren(el("ul", {},
      sites.length > 1 ? el("li", {}, el("a", { href: "#", "aria-current": current(!site) }, "Sites")) : null,
      sites.length > 1 && site ? el("li", { class: "site" }, named(site.summary.site)) : null,
      hasMore(site) ? NAMES.map(([view, name]) => el("li", {}, el("a", { href: hrefTo(site, view ? { view } : {}), "aria-current": current(at === view) }, name))) : null));
    byId("search").hidden = !hasMore(site);
  };

  let turn = 0;
  const show = async (isFirst) => {
    const mine = (turn += 1);
    const isStale = () => mine !== turn;
    delete root.dataset.ready;
    const { params, site } = address();
    navigate(site, params);
    let made;
    try {
      if (!site) made = sitesView(sites);
      else if (!hasMore(site)) made = summaryView(site);
      else if (params.has("table")) made = await tableView(site, params);
      else if (params.has("statement")) made = await statementView(site, params);
      else if (params.has("search")) made = await searchView(site, params, isStale);
      else made = await (VIEWS[params.get("view")] || overview)(site, params);
    } catch (error) {
      made = [el("h1", {}, "This view cannot be drawn"), note(`The data of the page cannot be read (${error.name}); make the page again.`)];
    }
    if (isStale()) return;
    const field = byId("search-text");
    content.replaceChildren(...made.flat(3).filter(Boolean));
    content.querySelectorAll(".listing").forEach(fit);
    if (params.has("search")) field.value = params.get("search");
    else if (document.activeElement !== field) field.value = "";
    const heading = content.querySelector("h1");
    const words = heading ? heading.textContent : "";
    document.title = words && byId("home").textContent !== words ? `${words} – ${byId("home").textContent}` : byId("home").textContent;
    if (!isFirst && document.activeElement !== field) {
      window.scrollTo(0, 0);
      content.focus({ preventScroll: true });
      status.textContent = words;
    }
    root.dataset.ready = "true";
  };

  let waiting = 0;
  const search = (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const text = byId("search-text").value.trim();
      const { site } = address();
      history.replaceState(null, "", hrefTo(site, text ? { search: text } : {}));
      show(false);
    }, event.type === "submit" ? 0 : 250);
  };
  byId("search").addEventListener("submit", search);
  byId("search-text").addEventListener("input", search);
  window.addEventListener("hashchange", () => show(false));
  show(true);
})();
