// One observer that tells two: metrics first, then the log.
import type { Observer } from '../model/events.ts'

export const both = (a: Observer, b: Observer): Observer => ({
  requestEnded(home, level, outcome, durationMs) {
    a.requestEnded(home, level, outcome, durationMs)
    b.requestEnded(home, level, outcome, durationMs)
  },
  requestRefused(refusal) {
    a.requestRefused(refusal)
    b.requestRefused(refusal)
  },
  attemptStarted(node, kind) {
    a.attemptStarted(node, kind)
    b.attemptStarted(node, kind)
  },
  attemptEnded(node, outcome) {
    a.attemptEnded(node, outcome)
    b.attemptEnded(node, outcome)
  },
  budgetSpent(budget) {
    a.budgetSpent(budget)
    b.budgetSpent(budget)
  },
  streamOpened() {
    a.streamOpened()
    b.streamOpened()
  },
  streamClosed() {
    a.streamClosed()
    b.streamClosed()
  },
  healthChanged(node, health, detail) {
    a.healthChanged(node, health, detail)
    b.healthChanged(node, health, detail)
  },
  breakerChanged(node, state) {
    a.breakerChanged(node, state)
    b.breakerChanged(node, state)
  },
  snapshotApplied(version, regions, nodes) {
    a.snapshotApplied(version, regions, nodes)
    b.snapshotApplied(version, regions, nodes)
  },
  reloadRefused(what, detail) {
    a.reloadRefused(what, detail)
    b.reloadRefused(what, detail)
  },
  registryLost(detail) {
    a.registryLost(detail)
    b.registryLost(detail)
  },
  registryBack() {
    a.registryBack()
    b.registryBack()
  },
})
