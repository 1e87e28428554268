/** Whether an address, or the name `localhost`, stands for this machine alone. */
export function isThisMachine(address: string): boolean {
  return address === 'localhost' || address.startsWith('127.') || address === '::1'
}
