// What a chart draws: columns as the daemon gives them, kept up by what differs, and where each row is.

export const HEAD = 26; // pixels of a lane's own row: its waves as boxes
export const ROW = 14; // pixels of a machine's row, unless somebody chose others
export const STAGE = 30; // pixels of the line over a stage
const NOT_YET = -1;

export class ChartData {
  constructor() {
    this.edition = 0;
    this.lanes = [];
    this.rowOf = new Map(); // machine's number -> its row
  }

  /** Take an answer: everything, or what differs. */
  take(told) {
    this.edition = told.edition;
    this.name = told.name;
    this.status = told.status;
    this.statuses = told.statuses;
    this.stages = told.stages;
    this.started = Date.parse(told.started);
    this.at = (Date.parse(told.at) - this.started) / 1000;
    this.last = (Date.parse(told.last) - this.started) / 1000;
    this.over = ["finished", "aborted", "refused"].includes(told.status);
    if (told.lanes.length || told.whole) this.begin(told);
    else this.mark(told.machines);
    this.takeBars(told.bars, told.whole);
    this.takeWaves(told.waves);
    this.foresee();
  }

  begin({ lanes, machines }) {
    const count = machines.number.length;
    const order = [...machines.number.keys()].sort((one, other) => machines.lane[one] - machines.lane[other] || machines.wave[one] - machines.wave[other]
      || (machines.name[one] < machines.name[other] ? -1 : 1));
    this.name_of = order.map((place) => machines.name[place]);
    this.number = Int32Array.from(order, (place) => machines.number[place]);
    this.lane = Int32Array.from(order, (place) => machines.lane[place]);
    this.wave = Int32Array.from(order, (place) => machines.wave[place]);
    this.state = Uint8Array.from(order, (place) => machines.status[place]);
    this.rowOf = new Map();
    this.number.forEach((number, row) => this.rowOf.set(number, row));
    this.lanes = lanes.map((lane) => ({ ...lane, first: 0, end: 0, spans: [], counts: null, waveCounts: null }));
    let row = 0;
    this.lanes.forEach((lane, number) => {
      lane.first = row;
      while (row < count && this.lane[row] === number) row += 1;
      lane.end = row;
    });
    this.order = this.lanes.map((_, number) => number).sort((one, other) => this.lanes[one].stage - this.lanes[other].stage || one - other);
  }

  mark({ number, status }) {
    number.forEach((machine, place) => {
      const row = this.rowOf.get(machine);
      if (row === undefined) return;
      this.state[row] = status[place];
      this.lanes[this.lane[row]].counts = this.lanes[this.lane[row]].waveCounts = null;
    });
  }

  takeBars(told, whole) {
    if (whole || !this.bars) {
      this.bars = { row: [], granted: [], begun: [], changed: [], until: [], outcome: [] };
      this.barsOf = new Map();
    }
    const bars = this.bars;
    told.place.forEach((place, at) => {
      const row = this.rowOf.get(told.machine[at]) ?? -1;
      if (place >= bars.row.length && row >= 0) {
        if (!this.barsOf.has(row)) this.barsOf.set(row, []);
        this.barsOf.get(row).push(place);
      }
      bars.row[place] = row;
      for (const column of ["granted", "begun", "changed", "until", "outcome"]) bars[column][place] = told[column][at];
    });
  }

  takeWaves({ lane, wave, opened, passed }) {
    for (const one of this.lanes) one.spans = [];
    lane.forEach((number, at) => this.lanes[number].spans.push({ wave: wave[at], opened: opened[at], passed: passed[at] }));
  }

  /** Where waves that haven't opened are drawn: in their order after now, each as wide as the others. That is an order and no forecast. */
  foresee() {
    const taken = this.lanes.flatMap((lane) => lane.spans.filter((span) => span.passed > span.opened).map((span) => span.passed - span.opened)).sort((a, b) => a - b);
    this.unit = Math.max(60, taken[Math.floor(taken.length / 2)] ?? (this.at || 600) / 4);
    const now = this.now();
    let begins = now;
    this.ends = now;
    for (let stage = 0; stage < this.stages.length; stage += 1) {
      const end = new Map();
      const endOf = (number) => {
        if (end.has(number)) return end.get(number);
        end.set(number, begins); // a circle can't be; should there be one, it ends here
        const lane = this.lanes[number];
        const left = this.over ? 0 : Math.max(0, lane.waves - lane.spans.length);
        const open = lane.spans.some((span) => span.passed === NOT_YET);
        lane.foreseen = Math.max(begins, ...lane.after.map(endOf)) + (open ? this.unit / 2 : 0);
        end.set(number, left || open ? lane.foreseen + left * this.unit : begins);
        return end.get(number);
      };
      const ends = this.lanes.map((lane, number) => (lane.stage === stage ? endOf(number) : now));
      begins = Math.max(begins, ...ends);
      this.ends = Math.max(this.ends, begins);
    }
  }

  /** Seconds from the start; after the end of a rollout it is its end. */
  now() {
    return this.over ? this.last : Math.max(this.at, this.last);
  }

  countsOf(lane) {
    if (!lane.counts) {
      lane.counts = {};
      for (let row = lane.first; row < lane.end; row += 1) {
        const name = this.statuses[this.state[row]];
        lane.counts[name] = (lane.counts[name] ?? 0) + 1;
      }
    }
    return lane.counts;
  }

  /** Lines of the picture from the top: `{kind, top, height, ...}`. `rowHeight` 0 folds machines away, but those of `unfolded` lanes. */
  layout(rowHeight, unfolded = new Set()) {
    this.lines = [];
    let top = 0;
    let stage = -1;
    for (const number of this.order) {
      const lane = this.lanes[number];
      if (lane.stage !== stage) {
        stage = lane.stage;
        this.lines.push({ kind: "stage", top, height: STAGE, stage });
        top += STAGE;
      }
      lane.tall = rowHeight || (unfolded.has(number) ? ROW : 0);
      const height = HEAD + (lane.end - lane.first) * lane.tall + (lane.tall ? 4 : 0);
      this.lines.push({ kind: "lane", top, height, number, lane });
      lane.line = this.lines.length - 1;
      top += height;
    }
    this.height = top;
  }

  /** The first line that reaches below `y`. */
  lineAt(y) {
    let low = 0;
    let high = this.lines.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle].top + this.lines[middle].height <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What is at `y`: a lane, and a machine's row (-1: the lane's own). */
  at_y(y) {
    const line = this.lines[this.lineAt(y)];
    if (!line || line.kind !== "lane" || y < line.top || y >= line.top + line.height) return null;
    const within = y - line.top - HEAD;
    const row = within < 0 || !line.lane.tall ? -1 : line.lane.first + Math.floor(within / line.lane.tall);
    return { lane: line.number, row: row < line.lane.end ? row : -1 };
  }

  topOf({ lane, row }) {
    const line = this.lines[this.lanes[lane].line];
    return line.top + (row < 0 ? 0 : HEAD + (row - line.lane.first) * line.lane.tall);
  }

  /** The lane where most goes on: what somebody wants to see first. */
  busiest() {
    let best = this.order[0];
    let most = 0;
    for (const number of this.order) {
      const counts = this.countsOf(this.lanes[number]);
      const going = ["granted", "intended", "unsettled", "running", "verifying"].reduce((sum, name) => sum + (counts[name] ?? 0), 0) + 3 * (counts.unhealthy ?? 0);
      if (going > most) [best, most] = [number, going];
    }
    return best;
  }

  status_of(row) {
    return this.statuses[this.state[row]];
  }
}
