import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lockFolder } from '../../../src/adapters/sqlite/index.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { drivers } from './drivers.ts'
import { freshFolder } from './folders.ts'
import { program, run } from './program.ts'

function refusal(take: () => unknown): string {
  try {
    take()
  } catch (error) {
    expect(isMailError(error) && error.code).toBe('config')
    return (error as Error).message
  }
  throw new Error('was not refused')
}

describe.each(drivers)('lockFolder with %s', (_name, driver) => {
  it('takes a folder once, makes it where it is missing, and gives it back', () => {
    const folder = join(freshFolder(), 'a', 'data')
    const lock = lockFolder(folder, { driver })
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(refusal(() => lockFolder(folder, { driver }))).toBe(
      `${folder} is in use by this very process. Stop that one first, or name another folder`,
    )
    expect(refusal(() => lockFolder(join(folder, '.'), { driver }))).toContain('is in use')
    const other = lockFolder(join(folder, 'other'), { driver })
    lock.release()
    lock.release()
    lockFolder(folder, { driver }).release()
    other.release()
  })

  it('says when the folder cannot be used', () => {
    const folder = freshFolder()
    writeFileSync(join(folder, 'file'), '')
    expect(refusal(() => lockFolder(join(folder, 'file', 'data'), { driver }))).toContain('cannot be used')
    writeFileSync(join(folder, 'posthorn.lock'), 'this is no database, as anyone can see'.repeat(100))
    expect(refusal(() => lockFolder(folder, { driver }))).toContain('cannot be used')
  })
})

describe('lockFolder', () => {
  it('says so too where nothing can be made, and does not try for ever', () => {
    const file = join(freshFolder(), 'file')
    writeFileSync(file, '')
    // Where Linux says of a new folder that it is not there.
    const nowhere = existsSync('/proc/self') ? '/proc/posthorn' : join(file, 'posthorn')
    for (const folder of [nowhere, join(nowhere, 'a'), join(file, 'a'), file]) {
      expect(refusal(() => lockFolder(folder))).toContain(`${folder} cannot be used: `)
    }
  })

  it('keeps other processes out, names the one that has it, and is free once that was killed', async () => {
    const folder = freshFolder()
    const holder = run(program(`lockFolder(process.argv[2]); console.log('locked'); setInterval(() => {}, 1000)`), folder)
    await holder.until('locked')
    const refused = `${folder} is in use by another one (process ${holder.child.pid}). `
      + 'Stop that one first, or name another folder'
    expect(refusal(() => lockFolder(folder))).toBe(refused)
    expect(refusal(() => lockFolder(folder))).toBe(refused)
    await holder.kill()
    const lock = lockFolder(folder)
    expect(refusal(() => lockFolder(folder))).toContain('this very process')
    lock.release()
  })

  it('holds until it is released, though nobody keeps it', async () => {
    const folder = freshFolder()
    const main = `lockFolder(process.argv[2]); globalThis.gc(); globalThis.gc()
      setTimeout(() => { globalThis.gc(); console.log('collected') }, 20); setInterval(() => {}, 1000)`
    const path = program(`import { setFlagsFromString } from 'node:v8'; import { runInNewContext } from 'node:vm'
      setFlagsFromString('--expose-gc'); globalThis.gc = runInNewContext('gc')\n${main}`)
    const holder = run(path, folder)
    await holder.until('collected')
    expect(refusal(() => lockFolder(folder))).toContain('is in use by another one')
    await holder.kill()
  })
})
