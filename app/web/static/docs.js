// Draws openapi.json beside this page. A file of its own, because the page allows no inline script.
SwaggerUIBundle({
  url: new URL("openapi.json", document.baseURI).href,
  dom_id: "#swagger-ui",
  deepLinking: true, // a link can point at an operation
  tryItOutEnabled: true, // the API only reads, so there is nothing to protect a reader from
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0, // schemas are listed, and opened by who wants them
  queryConfigEnabled: false, // or a link could make this page show, and call, somebody else's API
  validatorUrl: null, // asks no other host
});
