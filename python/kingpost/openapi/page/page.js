"use strict";
(() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const main = document.querySelector("main");
  const filter = document.getElementById("filter");
  const authorization = document.getElementById("authorization");
  // What stands in front of the App's own paths, where a proxy has put something there.
  const root = location.pathname.replace(/\/$/, "").slice(0, -main.dataset.path.length || undefined);

  document.querySelector(".tools").hidden = false;
  for (const form of all("form.try")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  }

  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const each of all("details", main)) {
      const text = each.querySelector("summary").textContent.toLowerCase();
      each.hidden = !words.every((word) => text.includes(word));
      shown += each.hidden ? 0 : 1;
    }
    for (const section of all("section", main)) {
      section.hidden = !section.querySelector("details:not([hidden])");
    }
    document.getElementById("nothing").hidden = shown > 0;
  });

  // A link leads into something folded: unfold it.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();

  function valuesOf(field) {
    if (field.type === "file") return [...field.files];
    if (field.value === "") return [];
    if (field.dataset.kind === "list") return field.value.split("\n").filter(Boolean);
    return [field.value];
  }

  function requestOf(form) {
    let path = form.dataset.path;
    const query = new URLSearchParams();
    const headers = new Headers();
    const fields = new FormData();
    for (const field of all("[data-in]", form)) {
      const name = field.dataset.name;
      let values = valuesOf(field);
      if (field.dataset.kind === "object") {
        for (const text of values) {
          for (const [key, value] of Object.entries(JSON.parse(text))) {
            for (const each of [value].flat()) query.append(`${name}[${key}]`, each);
          }
        }
        continue;
      }
      if (field.dataset.separator && values.length) values = [values.join(field.dataset.separator)];
      for (const value of values) {
        if (field.dataset.in === "query") query.append(name, value);
        else if (field.dataset.in === "header") headers.append(name, value);
        else if (field.dataset.in === "form") fields.append(name, value);
      }
      if (field.dataset.in === "path") {
        const text = encodeURIComponent(values[0] ?? "").replaceAll("%2F", "/");
        path = path.replace(`{${name}}`, () => text);
      }
    }
    if (authorization.value) headers.set("authorization", authorization.value);
    const request = { method: form.dataset.method, headers };
    const kind = form.dataset.body;
    if (kind === "multipart/form-data") request.body = fields;
    else if (kind === "application/x-www-form-urlencoded") request.body = new URLSearchParams(fields);
    else if (kind) {
      request.body = form.querySelector("textarea.body").value;
      headers.set("content-type", kind === "*/*" ? "application/octet-stream" : kind);
    }
    const words = query.toString();
    return [`${root}${path}${words ? `?${words}` : ""}`, request];
  }

  async function send(form) {
    const output = form.querySelector("output");
    const button = form.querySelector("button");
    button.disabled = true;
    const start = performance.now();
    try {
      const [url, request] = requestOf(form);
      const response = await fetch(url, request);
      const text = await textOf(response);
      const time = Math.round(performance.now() - start);
      const line = element("p", `${response.status} ${response.statusText}`, `status ${response.ok ? "good" : "bad"}`);
      const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      output.replaceChildren(
        element("p", `${request.method} ${url}`), line, element("p", `${time} ms`),
        element("pre", fields), element("pre", text || "(nothing)"),
      );
    } catch (error) {
      output.replaceChildren(element("p", String(error), "status bad"));
    } finally {
      button.disabled = false;
    }
  }

  async function textOf(response) {
    const type = response.headers.get("content-type") ?? "";
    if (!/^text\/|json|xml|yaml|javascript/.test(type)) {
      const size = (await response.arrayBuffer()).byteLength;
      return size ? `(${size} bytes of ${type || "something"})` : "";
    }
    const text = await response.text();
    if (!/[/+]json\b/.test(type)) return text;
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }

  function element(name, text, kind = "") {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = kind;
    if (name === "pre") made.tabIndex = 0;
    return made;
  }
})();
