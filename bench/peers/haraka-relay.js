// A Haraka plugin: takes mail from anybody, without the DNS, and brings it to the port of SINK.
exports.register = function () {
  this.register_hook('lookup_rdns', 'rdns')
  this.register_hook('connect', 'relay')
  this.register_hook('rcpt', 'ok')
  this.register_hook('get_mx', 'sink')
}
exports.rdns = (next) => next(OK, 'localhost')
exports.relay = (next, connection) => {
  connection.relaying = true
  next()
}
exports.ok = (next) => next(OK)
exports.sink = (next) => next(OK, { priority: 0, exchange: '127.0.0.1', port: Number(process.env.SINK) })
