// The review queue by keyboard: every decision is a form of the page, posted without leaving it. All words are the page's.
const root = document.getElementById("reco-review");
const words = root.dataset;
const list = root.querySelector("[data-list]");
const detail = root.querySelector("[data-detail]");
const bulk = document.getElementById("reco-bulk");
const toast = root.querySelector("[data-toast]");
const keys = root.querySelector("[data-keys]");
const NO_KEYS = "reco-review-no-keys";

const given = []; // tickets of this page, the last one last
let current = null; // the row that is looked at
let looked = 0; // grows with each look, so that a slow answer does not replace a later one
let work = Promise.resolve(); // what was decided is posted one after the other

const rows = () => [...list.querySelectorAll("[data-row]")];
const lineOf = (row) => row.querySelector("a");
const tickOf = (row) => row.querySelector("input[name=item]");
const chosen = () => rows().filter((row) => tickOf(row).checked);
const rowOf = (pk) => list.querySelector(`[data-row="${pk}"]`);

function tell(texts, ticket = "") {
  toast.hidden = false;
  toast.querySelector("[data-news]").textContent = texts.join(" ");
  const form = toast.querySelector("form");
  form.elements.ticket.value = ticket;
  form.hidden = !ticket;
}

function mark(row) {
  current?.classList.remove("is-current");
  if (current) lineOf(current).removeAttribute("aria-current");
  current = row;
  row.classList.add("is-current");
  lineOf(row).setAttribute("aria-current", "true");
}

async function look(row, { focus = true } = {}) {
  mark(row);
  if (focus) lineOf(row).focus();
  row.scrollIntoView({ block: "nearest" });
  const mine = ++looked;
  try {
    const reply = await fetch(words.part.replace(/0\/$/, `${row.dataset.row}/`), { credentials: "same-origin" });
    if (!reply.ok) throw new Error(reply.status);
    const html = await reply.text();
    if (mine === looked) detail.innerHTML = html;
  } catch {
    if (mine === looked) tell([words.failed]);
  }
}

function step(by) {
  const all = rows();
  const next = all[all.indexOf(current) + by];
  if (next) return look(next);
  lineOf(current).focus();
  if (by > 0) tell([words.last]);
  return undefined;
}

function onwards() {
  const all = rows();
  const waits = (row) => row.dataset.review === "open" && !row.classList.contains("is-sent");
  const place = all.indexOf(current);
  const next = all.slice(place + 1).find(waits) ?? all.slice(0, place).reverse().find(waits);
  return look(next ?? current);
}

async function post(address, data) {
  const reply = await fetch(address, {
    method: "POST",
    body: data,
    credentials: "same-origin",
    headers: { Accept: "application/json" },
  });
  const json = reply.headers.get("Content-Type")?.includes("json");
  if (!reply.ok || !json) throw new Error(reply.status);
  return reply.json();
}

function renew(replies) {
  for (const [pk, html] of Object.entries(replies)) {
    const old = rowOf(pk);
    if (!old) continue;
    const held = old.contains(document.activeElement);
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    const row = template.content.firstElementChild;
    lineOf(row).href = lineOf(old).href;
    old.replaceWith(row);
    if (old === current) {
      current = null;
      mark(row);
    }
    if (held) lineOf(row).focus();
  }
  count();
}

function send(address, data, sent, done) {
  sent.forEach((row) => row.classList.add("is-sent"));
  work = work.then(async () => {
    try {
      const reply = await post(address, data);
      renew(reply.rows);
      done(reply);
    } catch {
      tell([words.failed]);
    }
    sent.forEach((row) => rowOf(row.dataset.row)?.classList.remove("is-sent"));
  });
  return work;
}

function decide(act, wanted, reason = "") {
  const some = wanted.filter((row) => !row.classList.contains("is-sent"));
  if (!some.length) {
    tell([words.unchosen]);
    return;
  }
  const data = new FormData();
  data.set("csrfmiddlewaretoken", bulk.elements.csrfmiddlewaretoken.value);
  data.set("act", act);
  data.set("reason", reason);
  data.set("ticket", crypto.randomUUID?.() ?? "");
  some.forEach((row) => data.append("item", lineOf(row).dataset.value));
  const shown = some.includes(current);
  send(words.decide, data, some, (reply) => {
    if (reply.ticket) given.push(reply.ticket);
    tell(reply.text, reply.ticket);
    if (shown && some.some((row) => row.dataset.row === current?.dataset.row)) look(current, { focus: false });
  });
  some.forEach((row) => {
    tickOf(row).checked = false;
  });
  count();
  if (shown) onwards();
}

function undo(data) {
  send(words.undo, data, [], (reply) => {
    tell(reply.text);
    const back = reply.done.map(rowOf).find(Boolean);
    if (back) look(back);
  });
}

function undoLast() {
  work = work.then(() => {
    const ticket = given.pop();
    if (!ticket) {
      tell([words.nothing]);
      return;
    }
    const data = new FormData();
    data.set("csrfmiddlewaretoken", bulk.elements.csrfmiddlewaretoken.value);
    data.set("ticket", ticket);
    undo(data);
  });
}

function count() {
  const n = chosen().length;
  bulk.querySelector("[data-count]").textContent = words.chosen.replace("{n}", n);
  bulk.classList.toggle("is-idle", n === 0);
  bulk.querySelector("[data-all]").checked = n > 0 && n === rows().length;
}

const ACTS = { a: "accept", d: "dismiss", x: "exclude" };

function act(key) {
  const some = chosen();
  decide(ACTS[key], some.length ? some : [current]);
}

function onKey(event) {
  const typing = event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox])");
  if (event.ctrlKey || event.metaKey || event.altKey || typing || keys.open) return;
  if (event.key !== "?" && localStorage.getItem(NO_KEYS)) return;
  const does = {
    j: () => step(1),
    k: () => step(-1),
    a: () => act("a"),
    d: () => act("d"),
    x: () => act("x"),
    s: () => {
      tickOf(current).checked = !tickOf(current).checked;
      count();
    },
    u: undoLast,
    "?": () => keys.showModal(),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

function onClick(event) {
  const line = event.target.closest("a.reco-line");
  if (!line || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  look(line.closest("[data-row]")).then(() => {
    if (matchMedia("(max-width: 60rem)").matches) {
      detail.scrollIntoView({ block: "start" });
      detail.querySelector("h2")?.focus({ preventScroll: true });
    }
  });
}

function onSubmit(event) {
  const form = event.target;
  if (form === bulk) {
    event.preventDefault();
    decide(event.submitter.value, chosen());
  } else if (form.matches("[data-decision]")) {
    event.preventDefault();
    decide(event.submitter.value, [current], form.elements.reason?.value);
  } else if (form.matches("[data-undo]")) {
    event.preventDefault();
    const ticket = form.elements.ticket?.value;
    if (ticket && given.includes(ticket)) given.splice(given.indexOf(ticket), 1);
    undo(new FormData(form));
  }
}

if (list) {
  const shown = detail.querySelector("[data-piece]")?.dataset.piece;
  const first = (shown && rowOf(shown)) || rows()[0];
  mark(first);
  if (first.dataset.row !== shown) look(first, { focus: false });
  bulk.querySelector(".reco-all").hidden = false;
  root.querySelector("[data-help]").hidden = false;
  count();
  document.addEventListener("keydown", onKey);
  list.addEventListener("click", onClick);
  list.addEventListener("change", count);
  root.addEventListener("submit", onSubmit);
  root.querySelector("[data-help]").addEventListener("click", () => keys.showModal());
  bulk.querySelector("[data-all]").addEventListener("change", (event) => {
    rows().forEach((row) => {
      tickOf(row).checked = event.target.checked;
    });
    count();
  });
  const switched = keys.querySelector("[data-switch]");
  switched.checked = !localStorage.getItem(NO_KEYS);
  switched.addEventListener("change", () => {
    if (switched.checked) localStorage.removeItem(NO_KEYS);
    else localStorage.setItem(NO_KEYS, "1");
  });
}
