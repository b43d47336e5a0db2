// Draws openapi.json beside this page. A file of its own, because the page allows no inline script.

// Each operation has the same six errors, so an error is one line until a reader opens it.
const foldedErrors = () => ({
  wrapComponents: {
    response: (Response, { React }) => (props) => {
      const [isOpen, open] = React.useState(/^[12]/.test(props.code) || props.isDefault);
      if (isOpen) return React.createElement(Response, props);
      const description = props.response.get("description");
      return React.createElement(
        "tr",
        { className: "response folded", "data-code": props.code },
        React.createElement("td", { className: "response-col_status" }, props.code),
        React.createElement(
          "td",
          { className: "response-col_description", colSpan: 2 },
          React.createElement("button", { onClick: () => open(true), "aria-expanded": false }, description),
        ),
      );
    },
  },
});

SwaggerUIBundle({
  url: new URL("openapi.json", document.baseURI).href,
  dom_id: "#swagger-ui",
  plugins: [foldedErrors],
  deepLinking: true, // a link can point at an operation
  tryItOutEnabled: true, // the API only reads, so there is nothing to protect a reader from
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0, // schemas are listed, and opened by who wants them
  queryConfigEnabled: false, // or a link could make this page show, and call, somebody else's API
  validatorUrl: null, // asks no other host
});
