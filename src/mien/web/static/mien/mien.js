// What every page needs. No texts in here: they come from the page, in data-* attributes.
document.addEventListener("htmx:responseError", (event) => {
  // a page of an error that answers a part of a page is shown as a whole
  const { xhr } = event.detail;
  if (xhr.getResponseHeader("HX-Redirect")) return;
  if ((xhr.getResponseHeader("Content-Type") || "").startsWith("text/html")) {
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const main = page.querySelector("main");
    if (main) document.querySelector("main").replaceWith(main);
  }
});
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
