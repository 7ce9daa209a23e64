// A button that carries a question puts it before it posts; where something is missing, the browser tells that first.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-reco-ask]");
  if (!button || button.form?.checkValidity() === false) return;
  if (!window.confirm(button.dataset.recoAsk)) event.preventDefault();
});

// A search box names itself by its choice alone, which is empty at first: the field's label comes before it.
function nameSearchBoxes() {
  for (const box of document.querySelectorAll("#content-main .select2-selection[aria-labelledby]")) {
    const choice = document.getElementById(box.getAttribute("aria-labelledby"));
    const field = choice?.id.replace(/^select2-/, "").replace(/-container$/, "");
    const label = document.querySelector(`label[for="${CSS.escape(field ?? "")}"]`);
    if (!label) continue;
    label.id ||= `${field}_label`;
    box.setAttribute("aria-labelledby", `${label.id} ${choice.id}`);
    choice.setAttribute("aria-labelledby", label.id);
  }
}

document.addEventListener("DOMContentLoaded", () => window.django?.jQuery?.(nameSearchBoxes)); // after those who make them

// A button that shows what a form would do puts the answer below itself; without scripts it opens in another tab.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-reco-preview]");
  if (!button) return;
  event.preventDefault();
  const place = document.getElementById(button.dataset.recoPreview);
  place.setAttribute("aria-busy", "true");
  try {
    const headers = { "X-Requested-With": "fetch" };
    const reply = await fetch(button.formAction, { method: "POST", body: new FormData(button.form), headers });
    if (!reply.ok) throw new Error(reply.statusText);
    place.innerHTML = await reply.text();
    place.scrollIntoView({ block: "start" });
  } catch {
    place.textContent = button.dataset.failed;
  } finally {
    place.removeAttribute("aria-busy");
  }
});
