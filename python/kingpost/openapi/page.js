"use strict";
(() => {
  const page = document.getElementById("page");
  // What stands in front of the App's own paths, where a proxy has put something there.
  const here = location.pathname.replace(/\/$/, "");
  const prefix = here.endsWith(page.dataset.path) ? here.slice(0, here.length - page.dataset.path.length) : "";

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", paint);
  paint();

  // A script may set no Cookie field: a key that is one becomes a cookie of the site, until somebody logs out or the browser is closed.
  const isCookie = (schema) => schema.get("type") === "apiKey" && schema.get("in") === "cookie";
  const keep = (name, value, more = "") => {
    document.cookie = `${name}=${value}; path=/; SameSite=Strict${more}`;
  };
  const auth = {
    authorize: (original) => (given) => {
      for (const { schema, value } of Object.values(given)) {
        if (isCookie(schema)) keep(schema.get("name"), value);
      }
      return original(given);
    },
    logout: (original, system) => (names) => {
      for (const name of names) {
        const schema = system.authSelectors.authorized().getIn([name, "schema"]);
        if (schema && isCookie(schema)) keep(schema.get("name"), "", "; Max-Age=0");
      }
      return original(names);
    },
  };
  const spec = {
    updateJsonSpec: (original) => (whole) =>
      original(prefix && !whole.servers ? { ...whole, servers: [{ url: prefix }] } : whole),
  };

  // The button would be there before its operation is read whole: pressed then, it finds no body, and sends nothing or waits for ever.
  const execute = (Original, system) => (props) =>
    system.specSelectors.specResolvedSubtree(["paths", props.path, props.method]) ? system.React.createElement(Original, props) : null;

  SwaggerUIBundle({
    domNode: page,
    url: `${page.dataset.base}/openapi.json`,
    oauth2RedirectUrl: new URL(`${page.dataset.base}/oauth2-redirect.html`, location.href).href,
    // Nobody else is asked whether the document is valid.
    validatorUrl: null,
    deepLinking: true,
    tryItOutEnabled: true,
    plugins: [{ statePlugins: { auth: { wrapActions: auth }, spec: { wrapActions: spec } }, wrapComponents: { execute } }],
  });
})();
