// Starts Swagger UI. The Content-Security-Policy of the page forbids an inline script.

const dark = matchMedia("(prefers-color-scheme: dark)");
const applyScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", applyScheme);
applyScheme();

// Swagger UI shows a response when it ends. A stream does not end.
const streamsCannotBeTried = {
  statePlugins: {
    spec: {
      wrapSelectors: {
        allowTryItOutFor: () => (state, path, method) =>
          !state.hasIn(["json", "paths", path, method, "responses", "200", "content", "text/event-stream"]),
      },
    },
  },
};

// Requests go to the origin and path of this page, so that they work behind a proxy with a path prefix.
const server = new URL("..", import.meta.url);
const spec = await (await fetch(new URL("openapi.json", server))).json();
spec.servers = [{ url: server.href.replace(/\/$/, "") }];

SwaggerUIBundle({
  dom_id: "#docs",
  spec,
  deepLinking: true,
  displayRequestDuration: true,
  plugins: [streamsCannotBeTried],
});
