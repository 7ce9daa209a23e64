// What the shopper does on a page: behaviour goes to the beacon, wishes go to GraphQL.
import { tracker } from "./reco.js";

const endpoint = document.body.dataset.graphql;

async function ask(query, variables) {
  const reply = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await reply.json();
  const problems = errors ?? Object.values(data).flatMap((payload) => payload?.errors ?? []);
  if (problems.length) throw new Error(problems[0].message);
  return data;
}

let fading;
function tell(text) {
  const news = document.getElementById("news");
  news.textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => { news.textContent = ""; }, 10_000);
}

// What is told on the page that follows this one.
function tellNext(text) {
  sessionStorage.setItem("news", text);
}

// Do what the shopper asked for, once at a time, and answer whether it was done; a failure is told.
// The control stays enabled, since disabling it would take the focus away.
async function attempt(control, work) {
  if (control.dataset.busy) return false;
  control.dataset.busy = "yes";
  try {
    await work();
    return true;
  } catch {
    tell(document.body.dataset.failed);
    return false;
  } finally {
    delete control.dataset.busy;
  }
}

const { beacon, owner, viewed, searched } = document.body.dataset;
const reco = tracker({ url: beacon, owner: beacon ? owner : undefined }); // an error's page does not know its shopper
if (viewed) reco.track({ type: "VIEW_ITEM", product: viewed });
if (searched) reco.track({ type: "SEARCH", query: searched });
if (viewed || searched) reco.flush().then(() => { document.body.dataset.told = "yes"; });

const FEEDBACK = "mutation($input: FeedbackInput!) { giveFeedback(input: $input) { ok errors { message } } }";
for (const card of document.querySelectorAll("[data-slate] .card")) {
  const slateId = card.closest("[data-slate]").dataset.slate;
  const { product } = card.dataset;
  card.querySelector("a").addEventListener("click", () => reco.track({ type: "SELECT_ITEM", product, slateId }));
  const no = card.querySelector(".no");
  no?.addEventListener("click", () => attempt(no, async () => {
    await ask(FEEDBACK, { input: { product, slateId, kind: "NOT_INTERESTED" } });
    for (const same of document.querySelectorAll(`[data-product="${CSS.escape(product)}"]`)) hide(same, no.dataset.hidden);
    card.firstChild.focus();
    tell(no.dataset.said);
  }));
}
// A list was seen once half of its first card was on the screen.
const seen = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter(({ isIntersecting }) => isIntersecting)) {
    seen.unobserve(target);
    reco.track({ type: "VIEW_ITEM_LIST", slateId: target.closest("[data-slate]").dataset.slate });
  }
}, { threshold: 0.5 });
for (const list of document.querySelectorAll("[data-slate]")) {
  const first = list.querySelector(".card");
  if (first) seen.observe(first);
}
function hide(card, text) {
  const note = document.createElement("p");
  note.textContent = text;
  note.tabIndex = -1;
  card.replaceChildren(note);
  card.classList.add("gone");
  delete card.dataset.product;
}

const CONSENT = `mutation($input: ConsentInput!) {
  updateConsent(input: $input) { consents { purpose granted } errors { message } }
}`;
// Decide on purposes; the statement beside the control is the one that was read.
async function decide(control, decisions) {
  const { version, language } = control.dataset;
  const shown = version && Object.keys(decisions).map((name) => ({ purpose: name.toUpperCase(), version, language }));
  const { updateConsent } = await ask(CONSENT, { input: { ...decisions, shown } });
  if (!updateConsent.consents.some(({ granted }) => granted)) reco.forget();
}
for (const button of document.querySelectorAll("[data-consent]")) {
  button.addEventListener("click", () => attempt(button, async () => {
    if (button.dataset.consent !== "yes") {
      document.cookie = "reco_said_no=1; path=/; max-age=15552000; samesite=lax"; // half a year
    }
    if (button.dataset.consent === "no") {
      button.closest(".consent").remove();
      document.getElementById("main").focus();
      return tell(button.dataset.said);
    }
    if (button.dataset.consent === "stop") {
      await decide(button, { personalisation: false, training: false, analytics: false });
    } else {
      await decide(button, { personalisation: true });
      document.cookie = "reco_said_no=; path=/; max-age=0; samesite=lax";
    }
    tellNext(button.dataset.said);
    location.reload();
  }));
}
for (const box of document.querySelectorAll("[data-purpose]")) {
  box.addEventListener("change", async () => {
    const wanted = box.checked;
    const done = await attempt(box, async () => {
      await decide(box, { [box.dataset.purpose]: wanted });
      tell(document.body.dataset.saved);
    });
    if (!done) box.checked = !wanted;
  });
}

const EDIT = "mutation($input: InterestsInput!) { editInterests(input: $input) { errors { message } } }";
for (const button of document.querySelectorAll("[data-edit]")) {
  button.addEventListener("click", () => attempt(button, async () => {
    const row = button.closest("li");
    const { kind, key } = row.dataset;
    const pressed = button.getAttribute("aria-pressed") === "true";
    await ask(EDIT, { input: { [pressed ? "clear" : button.dataset.edit]: [{ kind, key }] } });
    for (const each of row.querySelectorAll("[data-edit]")) each.setAttribute("aria-pressed", each === button && !pressed);
    tell(document.body.dataset.saved);
  }));
}

// Wait until the file behind a link is made, telling how far it is; HEAD does not use the link up.
async function untilMade(url, progress) {
  for (;;) {
    const reply = await fetch(url, { method: "HEAD" });
    if (reply.status === 200) return;
    if (reply.status !== 202) throw new Error("the export is gone");
    progress.value = Number(reply.headers.get("X-Progress"));
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

const file = document.getElementById("export");
file?.addEventListener("click", () => attempt(file, async () => {
  const progress = document.getElementById("export-progress");
  progress.removeAttribute("value");
  progress.hidden = false;
  try {
    tell(file.dataset.making);
    const { exportMyData } = await ask("mutation { exportMyData { url ready errors { message } } }", {});
    if (!exportMyData.ready) await untilMade(exportMyData.url, progress);
    const link = document.createElement("a");
    link.href = exportMyData.url;
    link.download = "my-data.zip";
    link.click();
    tell(file.dataset.said);
  } finally {
    progress.hidden = true;
  }
}));
const erase = document.getElementById("erase");
erase?.addEventListener("click", () => attempt(erase, async () => {
  if (!confirm(erase.dataset.question)) return;
  const { eraseMe } = await ask("mutation { eraseMe(confirm: true) { receipt errors { message } } }", {});
  reco.forget();
  tellNext(erase.dataset.said);
  location.assign(`?receipt=${eraseMe.receipt}`);
}));

// Last, for a browser that refuses the storage stops here.
const left = sessionStorage.getItem("news");
if (left) {
  sessionStorage.removeItem("news");
  tell(left);
}
