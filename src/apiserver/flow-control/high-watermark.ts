// The highest value in the last second, without a clock that ticks.
// Upstream: requestWatermark of apiserver pkg/server/filters/maxinflight.go.
export class HighWatermark {
  #value = 0
  #second = 0
  #peak = 0
  #peakBefore = 0

  change(by: number, now: number): void {
    this.#turn(now)
    this.#value += by
    this.#peak = Math.max(this.#peak, this.#value)
  }

  read(now: number): number {
    this.#turn(now)
    return Math.max(this.#peak, this.#peakBefore)
  }

  #turn(now: number): void {
    const second = Math.floor(now / 1000)
    if (second === this.#second) return
    this.#peakBefore = second === this.#second + 1 ? this.#peak : this.#value
    this.#peak = this.#value
    this.#second = second
  }
}
