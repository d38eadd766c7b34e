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

SwaggerUIBundle({
  dom_id: "#docs",
  url: "/openapi.json",
  deepLinking: true,
  displayRequestDuration: true,
  plugins: [streamsCannotBeTried],
});
