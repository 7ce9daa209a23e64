// A button that carries a question puts it before it posts.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-reco-ask]");
  if (button && !window.confirm(button.dataset.recoAsk)) {
    event.preventDefault();
  }
});
