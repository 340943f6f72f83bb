// The stream of events, read by hand: a browser's EventSource hides heartbeats, and without them nobody can tell silence from a lost line.

const QUIET_MS = 35_000; // the server says something every 15 s; twice that and a little is too quiet
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];

export class Stream {
  /** `onEvent({id, event, data})`, `onState("live" | "lost" | "signed-out")`. `resumed` tells whether something may have been missed. */
  constructor(url, { onEvent, onState }) {
    this.url = url;
    this.onEvent = onEvent;
    this.onState = onState;
    this.last = "";
    this.failures = 0;
    this.stopped = false;
    this.run();
  }

  async run() {
    while (!this.stopped) {
      const why = await this.listen();
      if (this.stopped) return;
      this.onState(why);
      if (why === "signed-out") return;
      const wait = AGAIN_MS[Math.min(this.failures, AGAIN_MS.length - 1)];
      this.failures += 1;
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, wait);
      });
    }
  }

  /** Try at once: the network is back, or somebody looks again. */
  again() {
    if (this.state !== "live") {
      this.failures = 0;
      this.wake?.();
    }
  }

  /** Begin anew, from where it is. */
  cut() {
    this.control?.abort();
  }

  stop() {
    this.stopped = true;
    this.control?.abort();
    this.wake?.();
  }

  async listen() {
    this.control = new AbortController();
    const headers = { Accept: "text/event-stream" };
    if (this.last) headers["Last-Event-ID"] = this.last;
    try {
      const answer = await fetch(this.url, { headers, cache: "no-store", credentials: "same-origin", signal: this.control.signal });
      if (answer.status === 401) return "signed-out";
      if (answer.status === 400 || answer.status === 404 || answer.status === 410) this.last = ""; // it is from another journal's time
      if (!answer.ok) return "lost";
      this.failures = 0;
      this.state = "live";
      this.onState("live");
      await this.read(answer.body.getReader());
    } catch {
      // cut off, or too quiet
    } finally {
      this.state = "lost";
      clearTimeout(this.alarm);
    }
    return "lost";
  }

  async read(reader) {
    const decoder = new TextDecoder();
    let held = "";
    for (;;) {
      clearTimeout(this.alarm);
      this.alarm = setTimeout(() => this.control.abort(), QUIET_MS);
      const { value, done } = await reader.read();
      if (done) return;
      held += decoder.decode(value, { stream: true });
      const blocks = held.split(/\r?\n\r?\n/);
      held = blocks.pop();
      for (const block of blocks) this.take(block);
    }
  }

  take(block) {
    const told = { id: "", event: "message", data: "" };
    for (const line of block.split(/\r?\n/)) {
      const colon = line.indexOf(":");
      if (colon <= 0) continue; // a comment: the heartbeat
      const field = line.slice(0, colon);
      const value = line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") told.data += (told.data && "\n") + value;
      else if (field in told) told[field] = value;
    }
    if (told.id) this.last = told.id;
    if (told.data) this.onEvent({ ...told, data: JSON.parse(told.data) });
  }
}
