// Starts Swagger UI: an inline script would need a hole in the page's Content-Security-Policy.

const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", dress);
dress();

// Swagger UI shows an answer once it has ended: of a stream it would show nothing, and hold it open.
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
