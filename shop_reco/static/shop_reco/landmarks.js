// What the theme's pages leave unsaid to a screen reader or keep from the keyboard: landmarks, names, the user's menu.
function dress() {
  (document.getElementById("main") || document.getElementById("page"))?.setAttribute("role", "main");

  const sidebar = document.getElementById("nav-sidebar");
  sidebar?.setAttribute("role", "navigation");
  // the links inside it are reached by themselves: no region of its own beside the tables that scroll
  for (const each of sidebar?.querySelectorAll(".simplebar-content-wrapper") ?? []) {
    for (const name of ["role", "aria-label", "tabindex"]) each.removeAttribute(name);
  }
  for (const each of sidebar?.querySelectorAll("nav") ?? []) each.setAttribute("role", "presentation");

  // opened by a click alone, where a button would be
  for (const each of sidebar?.querySelectorAll("[x-on\\:click*='openUserLinks = !']") ?? []) {
    each.setAttribute("role", "button");
    each.setAttribute("tabindex", "0");
    each.setAttribute("aria-haspopup", "true");
    each.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      each.click();
    });
  }

  for (const box of document.querySelectorAll(".select2-selection[role=combobox]")) {
    const select = box.closest(".select2-container")?.previousElementSibling;
    const label = select?.id && document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    if (!label) continue;
    label.id ||= `${select.id}-label`;
    const value = box.querySelector("[role=textbox]");
    box.setAttribute("aria-labelledby", [label.id, value?.id].filter(Boolean).join(" "));
    value?.setAttribute("aria-labelledby", label.id);
  }

  for (const each of document.querySelectorAll("span.help-tooltip[aria-label]")) each.setAttribute("role", "img");
  for (const each of document.querySelectorAll("ul.object-tools")) {
    if (each.querySelector(":scope > :not(li)")) each.setAttribute("role", "presentation");
  }
}

// after what else waits for the page, such as the boxes that Django makes of lists
window.addEventListener("load", () => setTimeout(dress));
