// The viewer of the OpenAPI document; it asks only this server, and shows the session's CSRF token with every call.
(() => {
  const place = document.getElementById("service");
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const html = document.documentElement;
  const follow = () => html.classList.toggle("dark-mode", html.dataset.bsTheme === "dark");
  new MutationObserver(follow).observe(html, { attributes: true, attributeFilter: ["data-bs-theme"] });
  follow();
  window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    validatorUrl: null,
    supportedSubmitMethods: ["get", "post", "delete", "patch"],
    requestInterceptor: (request) => {
      request.headers["X-CSRFToken"] = token;
      return request;
    },
  });
})();
