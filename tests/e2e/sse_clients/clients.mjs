// Follows a stream with a client from npm, the way its README shows: node clients.mjs CLIENT URL.
// Prints the version of each board. It reads every event as JSON, so an event without data ends it with an error.

const [, , name, url] = process.argv;

const show = ({ data }) => console.log(JSON.parse(data).version);

const clients = {
  async eventsource() {
    const { EventSource } = await import("eventsource");
    const source = new EventSource(url);
    for (const type of ["leaderboard", "message"]) source.addEventListener(type, show);
  },

  async "eventsource-client"() {
    const { createEventSource } = await import("eventsource-client");
    for await (const event of createEventSource(url)) show(event);
  },

  async "@microsoft/fetch-event-source"() {
    // It is made for browsers.
    Object.assign(globalThis, {
      window: globalThis,
      document: { hidden: false, addEventListener() {}, removeEventListener() {} },
    });
    const { fetchEventSource } = (await import("@microsoft/fetch-event-source")).default;
    await fetchEventSource(url, {
      onmessage: show,
      // Without this it does not come back after the end of a stream.
      onclose() {
        throw new Error("the stream has ended");
      },
      onerror(error) {
        if (error instanceof SyntaxError) throw error;
      },
    });
  },

  async "launchdarkly-eventsource"() {
    const { EventSource } = (await import("launchdarkly-eventsource")).default;
    const source = new EventSource(url);
    for (const type of ["leaderboard", "message"]) source.addEventListener(type, show);
    // It is an EventEmitter, for which an error without a listener is fatal.
    source.onerror = () => {};
  },
};

await clients[name]();
