/**
 * Whether a value is to be awaited. What an app gives may be a promise of another realm or library: `instanceof Promise` takes it for
 * the value itself. Only `then` is sure to be there: `Promise.resolve` gives the rest.
 */
export function isPromiseLike<T> (value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as Partial<PromiseLike<T>> | null | undefined)?.then === 'function'
}
