import type { DeliveryNews } from './options.ts'

/** The same news for somebody who may throw: that a listener fails is no reason to lose mail. */
export function quietNews(news: DeliveryNews): DeliveryNews {
  const quiet = <Given extends readonly unknown[]>(tell: (...given: Given) => void) => (...given: Given): void => {
    try {
      tell(...given)
    } catch {
      // There is nobody left to tell.
    }
  }
  return {
    attempt: quiet((facts) => news.attempt?.(facts)),
    reported: quiet((facts) => news.reported?.(facts)),
    site: quiet((facts) => news.site?.(facts)),
    failed: quiet((what, error) => news.failed?.(what, error)),
  }
}
