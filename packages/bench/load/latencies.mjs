const bucketMs = 0.02

/** How long answers took, in bounded memory: to 0.02 ms, 10 s at most. */
export class Latencies {
  #buckets = new Uint32Array(500_000)
  count = 0

  add (ms) {
    this.count++
    this.#buckets[Math.min(this.#buckets.length - 1, Math.floor(ms / bucketMs))]++
  }

  /** The time by which this share was answered. */
  percentile (share) {
    let seen = 0
    for (let i = 0; i < this.#buckets.length; i++) {
      seen += this.#buckets[i]
      if (seen >= share * this.count) return Math.round((i + 1) * bucketMs * 1000) / 1000
    }
    return this.#buckets.length * bucketMs
  }

  summary () {
    return { p50Ms: this.percentile(0.5), p99Ms: this.percentile(0.99), maxMs: this.percentile(1) }
  }
}
