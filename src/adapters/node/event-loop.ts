// Taken once: test runners that replace the platform's timers do not stop what waits here.
const later = setImmediate
const timer = setTimeout
const stop = clearTimeout

/** Resolves in the next turn of the event loop: whatever promises could settle without the machine have by then. */
export function turn(): Promise<void> {
  return new Promise((resolve) => later(resolve))
}

/** Calls `ring` once after so many milliseconds, and keeps the process alive until then or until it is cancelled. */
export function patience(milliseconds: number, ring: () => void): { cancel(): void } {
  const waiting = timer(ring, milliseconds)
  return { cancel: () => stop(waiting) }
}

/** Who has more to do than is done in one turn. */
export interface Patient {
  /** Does a little of it. May ask for another turn. */
  goOn(): void
}

/** Milliseconds of a turn for all who wait for one. */
const TURN = 10

const patients = new Set<Patient>()
let awaited = false

/** Has it go on in a later turn of the event loop, behind those who wait already: however many they are, a turn stays short. */
export function goOnLater(patient: Patient): void {
  patients.add(patient)
  if (!awaited) later(takeTurns)
  awaited = true
}

function takeTurns(): void {
  const began = performance.now()
  let left = patients.size
  for (const patient of patients) {
    patients.delete(patient)
    // Asked for again, it waits for the next round.
    patient.goOn()
    if (--left === 0 || performance.now() - began > TURN) break
  }
  awaited = patients.size > 0
  if (awaited) later(takeTurns)
}
