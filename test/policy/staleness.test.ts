// How old an answer may be shown by what its node says.
import { expect, it } from '@jest/globals'
import { stalenessOf } from '../../gateway/policy/staleness.ts'

it.each([
  { told: '', fresh: 0, most: Infinity },
  { told: 'private, max-age=60', fresh: 60, most: Infinity },
  { told: 'max-age=60, must-revalidate', fresh: 60, most: 60 },
  { told: 'proxy-revalidate', fresh: 0, most: 0 },
  { told: 'max-age=60, s-maxage=5', fresh: 5, most: 5 },
  { told: 'private, no-cache, stale-if-error=300,', fresh: 0, most: 300 },
  { told: 'max-age=60, no-cache, stale-if-error=300', fresh: 0, most: 300 },
  { told: 'max-age="60",stale-if-error = "30"', fresh: 60, most: 90 },
  { told: 'stale-if-error=300, must-revalidate', fresh: 0, most: 0 },
  { told: 'stale-if-error=300, stale-if-error=20', fresh: 0, most: 20 },
  { told: 'stale-if-error=soon', fresh: 0, most: 0 },
  { told: 'note="must be", max-age=1', fresh: 1, most: Infinity },
])('"$told" is fresh for $fresh s and shown for $most s', ({ told, fresh, most }) => {
  expect(stalenessOf(told)).toEqual({ freshSeconds: fresh, mostSeconds: most })
})
