// Lists that answer: they are seen and clicked, say why, take what the shopper says of them and how to take it back,
// and are asked for anew by the documents that the server runs for its pages.
import { tracker } from "./reco.js";

const settings = JSON.parse(document.getElementById("reco-settings").textContent);
const { texts, owner } = settings;
export const reco = tracker({ url: settings.beacon, owner });

// Run one of the shop's own documents, named by its hash; throws what stood in the way.
export async function ask(name, variables = {}) {
  const reply = await fetch(settings.graphql, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": document.documentElement.lang },
    body: JSON.stringify({ documentId: `sha256:${settings.documents[name]}`, variables }),
  });
  const { data, errors } = await reply.json();
  const problems = errors ?? Object.values(data).flatMap((payload) => payload?.errors ?? []);
  if (problems.length) throw new Error(problems[0].message);
  return data;
}

const news = document.getElementById("reco-news");
let fading;
export function tell(text) {
  news.textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => { news.textContent = ""; }, 10_000);
}

// Do what the shopper asked for, once at a time, and answer whether it was done; a failure is told.
// The control stays enabled, since disabling it would take the focus away.
export async function attempt(control, work) {
  if (control.dataset.busy) return false;
  control.dataset.busy = "yes";
  try {
    await work();
    return true;
  } catch {
    tell(texts.failed);
    return false;
  } finally {
    delete control.dataset.busy;
  }
}

// Cards

const numbers = new Map();
function told(price, currency) {
  if (price === null) return "";
  const language = document.documentElement.lang || "en";
  if (!numbers.has(currency)) {
    numbers.set(currency, new Intl.NumberFormat(language, { style: "currency", currency: currency || "XXX" }));
  }
  return numbers.get(currency).format(price);
}

const copy = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);

// A sentence in which the products of the evidence lead to their pages.
function linked(text, evidence) {
  const parts = [];
  for (const { title, url } of evidence) {
    const place = text.indexOf(title);
    if (place < 0 || !url) continue;
    const link = document.createElement("a");
    link.href = url;
    link.textContent = title;
    parts.push(text.slice(0, place), link);
    text = text.slice(place + title.length);
  }
  return [...parts, text];
}

function reasonOf({ text, points, evidence }, score) {
  const row = copy("reco-reason");
  row.querySelector(".reco-said").append(...linked(text, evidence));
  const share = row.querySelector(".reco-share");
  share.hidden = !(score > 0);
  row.querySelector("meter").value = Math.round(100 * points / score) || 0;
  row.querySelector("b").textContent = `${Math.round(100 * points / score)}%`;
  return row;
}

function cardOf({ rank, score, feedback, node, reasons }, slateId) {
  const card = copy("reco-card");
  card.dataset.product = node.id;
  const link = card.querySelector(".reco-link");
  if (node.url) link.href = node.url;
  else link.removeAttribute("href");
  card.querySelector("img").src = node.imageUrl ?? "data:,";
  for (const name of card.querySelectorAll(".reco-name")) name.textContent = node.title;
  for (const name of card.querySelectorAll(".reco-unseen")) name.textContent += node.title;
  card.querySelector(".reco-price").textContent = told(node.price, node.currency);
  card.querySelector(".reco-headline").textContent = reasons[0]?.text ?? "";
  card.querySelector(".reco-why").hidden = !reasons.length;
  card.querySelector(".reco-panel").id = `why-${slateId}-${rank}`;
  for (const each of card.querySelectorAll("[popovertarget]")) each.setAttribute("popovertarget", `why-${slateId}-${rank}`);
  card.querySelector(".reco-reasons").replaceChildren(...reasons.map((reason) => reasonOf(reason, score)));
  for (const button of card.querySelectorAll("[data-say]")) {
    if (!owner) button.remove();
    else if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", feedback.includes(button.dataset.say));
  }
  return card;
}

// Ask for a list anew: the same placement, without what the other lists of the page show.
async function renew(list) {
  const wanted = JSON.parse(list.dataset.wanted);
  const elsewhere = [...document.querySelectorAll("[data-product]")].filter((card) => !list.contains(card));
  const exclude = [...new Set(elsewhere.map((card) => card.dataset.product))].slice(0, 200);
  list.setAttribute("aria-busy", "true");
  try {
    const request = { ...wanted, context: { ...wanted.context, exclude } };
    const { lists: [found] } = await ask("lists", { requests: [request] });
    list.dataset.slate = found.slateId;
    list.toggleAttribute("data-personal", found.personalised);
    list.querySelector(".reco-cards").replaceChildren(...found.edges.map((edge) => cardOf(edge, found.slateId)));
    list.hidden = !found.edges.length;
    list.classList.remove("reco-stale");
    look(list);
  } finally {
    list.removeAttribute("aria-busy");
  }
}

// A list was seen once half of its first card was on the screen; one that is lazy is asked for when it comes near.
const seen = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter(({ isIntersecting }) => isIntersecting)) {
    seen.unobserve(target);
    reco.track({ type: "VIEW_ITEM_LIST", slateId: target.closest("[data-slate]").dataset.slate });
  }
}, { threshold: 0.5 });
const near = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter(({ isIntersecting }) => isIntersecting)) {
    near.unobserve(target);
    renew(target).catch(() => { target.hidden = true; });
  }
}, { rootMargin: "400px" });
function look(list) {
  const first = list.querySelector(".reco-card");
  if (first) seen.observe(first);
}
for (const list of document.querySelectorAll(".reco-list[data-slate]")) look(list);
for (const list of document.querySelectorAll(".reco-list[data-lazy]")) near.observe(list);

// What the shopper says

const KEPT = { LIKE: texts.liked, WRONG_REASON: texts.disputed };
const cardsOf = (product) => document.querySelectorAll(`.reco-card[data-product="${CSS.escape(product)}"]`);

async function say(button) {
  const card = button.closest(".reco-card"), { product } = card.dataset, kind = button.dataset.say;
  const taken = button.getAttribute("aria-pressed") === "true";
  const slateId = card.closest("[data-slate]").dataset.slate;
  await (taken ? ask("withdraw_feedback", { input: { product, kind } })
    : ask("give_feedback", { input: { product, kind, slateId } }));
  for (const same of cardsOf(product)) {
    if (KEPT[kind]) press(same, kind, !taken);
    else putAway(same, kind, same === card);
    same.closest(".reco-list").classList.add("reco-stale");
  }
  if (KEPT[kind]) tell(taken ? texts.withdrawn : KEPT[kind]);
}

function press(card, kind, on) {
  for (const button of card.querySelectorAll(`[data-say="${kind}"]`)) button.setAttribute("aria-pressed", on);
}

// The card keeps its place, so that nothing jumps, and says how to take it back.
function putAway(card, kind, here) {
  card.querySelector(".reco-panel").hidePopover();
  const note = copy("reco-gone");
  note.dataset.kind = kind;
  note.querySelector(".reco-unseen").textContent = ` ${card.querySelector(".reco-name").textContent}`;
  card.querySelector(".reco-body").hidden = true;
  card.append(note);
  press(card, "LIKE", false);
  if (here) note.querySelector("button").focus();
}

async function undo(button) {
  const card = button.closest(".reco-card"), { kind } = button.closest(".reco-gone").dataset;
  await ask("withdraw_feedback", { input: { product: card.dataset.product, kind } });
  for (const same of cardsOf(card.dataset.product)) {
    same.querySelector(".reco-gone")?.remove();
    same.querySelector(".reco-body").hidden = false;
  }
  card.querySelector("[data-say=NOT_INTERESTED]").focus();
  tell(texts.withdrawn);
}

// What the shopper did without which the product would not be in the list: found by ranking again, when asked why.
async function tellWithout(panel) {
  const list = panel.closest("[data-slate]"), place = panel.querySelector(".reco-without");
  if (!list.hasAttribute("data-personal") || panel.dataset.asked) return;
  panel.dataset.asked = "yes";
  const { product } = panel.closest(".reco-card").dataset;
  const { explain } = await ask("explain", { slateId: list.dataset.slate, product });
  if (!explain?.without.length) return;
  const names = (rows) => new Intl.ListFormat(document.documentElement.lang || "en").format(rows.map(({ title }) => title));
  const sentences = [texts.without.replace("%s", () => names(explain.without))];
  if (explain.instead.length) sentences.push(texts.instead.replace("%s", () => names(explain.instead)));
  place.textContent = sentences.join(" ");
  place.hidden = false;
}

document.addEventListener("click", ({ target }) => {
  const link = target.closest(".reco-link"), list = target.closest("[data-slate]");
  if (link && list) {
    reco.track({ type: "SELECT_ITEM", product: link.closest(".reco-card").dataset.product, slateId: list.dataset.slate });
  }
  for (const [what, work] of [["[data-say]", say], ["[data-undo]", undo]]) {
    const button = target.closest(`.reco-card ${what}`);
    if (button) attempt(button, () => work(button));
  }
  const again = target.closest("[data-renew]");
  if (again) {
    attempt(again, async () => {
      await renew(again.closest(".reco-list"));
      tell(texts.renewed);
    });
  }
});
document.addEventListener("toggle", ({ target, newState }) => {
  if (newState === "open" && target.matches(".reco-panel")) tellWithout(target).catch(() => {});
}, true);
