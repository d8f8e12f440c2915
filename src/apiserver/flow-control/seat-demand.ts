// How many seats a level could use, over time: mean, deviation, peak, and a memory that fades slowly.
// Upstream: pkg/util/flowcontrol/fairqueuing/integrator.go and seatDemandStats.

/** After 30 periods of ten seconds half of it is forgotten. */
const MEMORY = 0.977

export interface DemandFigures {
  average: number
  deviation: number
  highWatermark: number
  smoothed: number
}

export class SeatDemand {
  figures: DemandFigures = { average: 0, deviation: 0, highWatermark: 0, smoothed: 0 }
  #value = 0
  #max = 0
  #since: number
  #seconds = 0
  #sum = 0
  #squares = 0

  constructor(now: number) {
    this.#since = now
  }

  set(value: number, now: number): void {
    this.#integrate(now)
    this.#value = value
    if (value > this.#max) this.#max = value
  }

  /** Ends a period: what it was like becomes `figures`. */
  close(now: number): DemandFigures {
    this.#integrate(now)
    const { smoothed } = this.figures
    if (this.#seconds === 0) this.figures = { ...this.figures, highWatermark: this.#max }
    else {
      const average = this.#sum / this.#seconds
      const deviation = Math.sqrt(Math.max(0, this.#squares / this.#seconds - average * average))
      const envelope = average + deviation
      const faded = Math.max(envelope, MEMORY * smoothed + (1 - MEMORY) * envelope)
      this.figures = { average, deviation, highWatermark: this.#max, smoothed: faded }
    }
    this.#seconds = this.#sum = this.#squares = 0
    this.#max = this.#value
    return this.figures
  }

  #integrate(now: number): void {
    const seconds = Math.max(0, now - this.#since) / 1000
    this.#since = now
    this.#seconds += seconds
    this.#sum += this.#value * seconds
    this.#squares += this.#value * this.#value * seconds
  }
}
