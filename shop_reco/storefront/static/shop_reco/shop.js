// What the shopper does on a page of the shop beside its lists: what they look at, allow, correct, take along, delete.
import { ask, attempt, reco, tell } from "./lists.js";

const { viewed, searched, saved } = document.body.dataset;
if (viewed) reco.track({ type: "VIEW_ITEM", product: viewed });
if (searched) reco.track({ type: "SEARCH", query: searched });
if (viewed || searched) reco.flush().then(() => { document.body.dataset.told = "yes"; });

const stars = document.querySelector("[data-rated]");
stars?.addEventListener("change", ({ target }) => {
  reco.track({ type: "RATE", product: stars.dataset.rated, rating: Number(target.value) });
  reco.flush().then(() => tell(stars.dataset.said));
});

// What is told on the page that follows this one.
function tellNext(text) {
  sessionStorage.setItem("news", text);
}

// Decide on purposes; the statement beside the control is the one that was read.
async function decide(control, decisions) {
  const { version, language } = control.dataset;
  const shown = version && Object.keys(decisions).map((name) => ({ purpose: name.toUpperCase(), version, language }));
  const { updateConsent } = await ask("update_consent", { input: { ...decisions, shown } });
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
      tell(saved);
    });
    if (!done) box.checked = !wanted;
  });
}

for (const button of document.querySelectorAll("[data-edit]")) {
  button.addEventListener("click", () => attempt(button, async () => {
    const row = button.closest("li");
    const { kind, key } = row.dataset;
    const pressed = button.getAttribute("aria-pressed") === "true";
    await ask("edit_interests", { input: { [pressed ? "clear" : button.dataset.edit]: [{ kind, key }] } });
    for (const each of row.querySelectorAll("[data-edit]")) each.setAttribute("aria-pressed", each === button && !pressed);
    tell(saved);
  }));
}

for (const button of document.querySelectorAll("[data-take-back]")) {
  button.addEventListener("click", () => attempt(button, async () => {
    const { product, kind } = button.dataset;
    await ask("withdraw_feedback", { input: { product, kind } });
    button.closest("li").remove();
    document.getElementById("main").focus();
    tell(button.dataset.said);
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
    const { exportMyData } = await ask("export_my_data");
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
  const { eraseMe } = await ask("erase_me");
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
