/* What Thunderbird does for the tests, from the inside: each of `inside` is called by its name, with and for plain JSON. */
const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')

const interfaces = (...names) => ({ QueryInterface: ChromeUtils.generateQI(names) })

/** Begins something that takes a nsIUrlListener; resolves when the URL has been run. */
const urlOf = (begin) => new Promise((resolve, reject) => begin({
  ...interfaces('nsIUrlListener'),
  OnStartRunningUrl() {},
  OnStopRunningUrl: (url, status) =>
    Components.isSuccessCode(status) ? resolve() : reject(new Error(`${url?.spec}: 0x${status.toString(16)}`)),
}))

/** Begins something that takes a nsIMsgCopyServiceListener; resolves when all has been copied. */
const copyOf = (begin) => new Promise((resolve, reject) => begin({
  ...interfaces('nsIMsgCopyServiceListener'),
  onStartCopy() {},
  onProgress() {},
  setMessageKey() {},
  getMessageId: () => null,
  onStopCopy: (status) =>
    Components.isSuccessCode(status) ? resolve() : reject(new Error(`copying: 0x${status.toString(16)}`)),
}))

/**
 * The first result of `look` that is something, looked for whenever a folder changes. Such news may be lost, so also every second,
 * after `nudge`.
 */
const until = (look, nudge = () => undefined) => new Promise((resolve, reject) => {
  const check = () => {
    try {
      const found = look()
      if (!found) return
      over()
      resolve(found)
    } catch (error) {
      over()
      reject(error)
    }
  }
  const told = [
    'onFolderAdded', 'onMessageAdded', 'onFolderRemoved', 'onMessageRemoved', 'onFolderPropertyChanged',
    'onFolderIntPropertyChanged', 'onFolderBoolPropertyChanged', 'onFolderPropertyFlagChanged', 'onFolderEvent',
  ]
  const listener = { ...interfaces('nsIFolderListener'), ...Object.fromEntries(told.map((name) => [name, () => check()])) }
  const over = () => {
    MailServices.mailSession.RemoveFolderListener(listener)
    clearInterval(timer)
  }
  const timer = setInterval(() => {
    nudge()
    check()
  }, 1000)
  MailServices.mailSession.AddFolderListener(listener, Ci.nsIFolderListener.all)
  check()
})

const serverOf = (user) => MailServices.accounts.findServer(user, 'localhost', 'imap')

/** The folder whose names lead there from the account. */
const folderAt = (user, path) => path.split('/').reduce(
  (folder, name) => folder?.subFolders.find((one) => one.name === name), serverOf(user).rootFolder)

const folder = (user, path) => {
  const found = folderAt(user, path)
  if (!found) throw new Error(`${user} has no folder ${path}`)
  return found
}

const messagesOf = (user, path) => [...folder(user, path).messages]

/** The messages with these subjects. */
const those = (user, path, subjects) => {
  const found = messagesOf(user, path).filter((message) => subjects.includes(message.mime2DecodedSubject))
  if (found.length !== subjects.length) throw new Error(`${path} has ${found.length} of ${subjects}`)
  return found
}

const uses = ['Inbox', 'Drafts', 'SentMail', 'Trash', 'Junk', 'Archive']

const foldersUnder = (parent, path) => parent.subFolders.flatMap((one) => {
  const here = [...path, one.name]
  const flags = uses.filter((use) => one.getFlag(Ci.nsMsgFolderFlags[use]))
  return [[here.join('/'), ...flags].join(' '), ...foldersUnder(one, here)]
})

const stateOf = (message) => ({
  uid: message.messageKey,
  subject: message.mime2DecodedSubject,
  author: message.mime2DecodedAuthor,
  id: message.messageId,
  octets: message.messageSize,
  date: message.date / 1000,
  read: message.isRead,
  flagged: message.isFlagged,
  tags: message.getStringProperty('keywords').split(' ').filter((word) => word.startsWith('$label')).sort(),
})

const inside = {
  /** Trusts the certificate, DER in base64, for localhost at that port. */
  trust(port, certificate) {
    const der = Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB).constructX509FromBase64(certificate)
    Cc['@mozilla.org/security/certoverride;1'].getService(Ci.nsICertOverrideService)
      .rememberValidityOverride('localhost', port, {}, der, false)
  },

  /** Makes an account, as who has answered all questions about it. */
  account(user, password, port, security, settings) {
    const server = MailServices.accounts.createIncomingServer(user, 'localhost', 'imap')
    server.port = port
    server.socketType = Ci.nsMsgSocketType[{ plain: 'plain', starttls: 'alwaysSTARTTLS', implicit: 'SSL' }[security]]
    server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext
    server.password = password
    server.prettyName = user
    for (const [name, value] of Object.entries(settings)) server.setBoolValue(name, value)
    server.valid = true
    const identity = MailServices.accounts.createIdentity()
    identity.email = user
    const account = MailServices.accounts.createAccount()
    account.addIdentity(identity)
    account.incomingServer = server
  },

  /** Logs in and asks for the folders; resolves when those are there. */
  async discover(user, names) {
    serverOf(user).performExpand(top.msgWindow)
    await until(() => names.every((name) => folderAt(user, name)))
  },

  folders: (user) => foldersUnder(serverOf(user).rootFolder, []).sort(),

  headers: (user, path) => messagesOf(user, path).map(stateOf),

  /** Resolves when messages with these subjects, and no others, are in a folder. `asking`: looks for news by itself. */
  async contains(user, path, subjects, asking) {
    const expected = [...subjects].sort().join(' ')
    const update = () => asking && folder(user, path).updateFolder(top.msgWindow)
    update()
    await until(() => messagesOf(user, path).map((message) => message.mime2DecodedSubject).sort().join(' ') === expected, update)
  },

  /** Resolves when a message is read and flagged like that. */
  async looks(user, path, subject, read, flagged) {
    await until(() => those(user, path, [subject]).every((message) => message.isRead === read && message.isFlagged === flagged))
  },

  /** Opens a message in the window, as who clicks on it; the text that is shown. */
  async show(user, path, subject) {
    const [message] = those(user, path, [subject])
    const pane = document.getElementById('tabmail').currentAbout3Pane
    pane.displayFolder(folder(user, path).URI)
    const reader = pane.messageBrowser.contentWindow
    const loaded = new Promise((resolve) => pane.addEventListener('MsgLoaded', resolve, { once: true }))
    pane.selectMessage(message)
    await loaded
    const { browsingContext } = reader.getMessagePaneBrowser()
    return (browsingContext.associatedWindow ?? reader.getMessagePaneBrowser().contentWindow).document.body.textContent
  },

  /** The octets of a message, as code units. */
  source: (user, path, subject) => new Promise((resolve, reject) => {
    const [message] = those(user, path, [subject])
    const uri = message.folder.getUriForMsg(message)
    let text = ''
    MailServices.messageServiceFromURI(uri).streamMessage(uri, {
      ...interfaces('nsIStreamListener', 'nsIRequestObserver'),
      onStartRequest() {},
      onDataAvailable(request, stream, offset, count) {
        const binary = Cc['@mozilla.org/binaryinputstream;1'].createInstance(Ci.nsIBinaryInputStream)
        binary.setInputStream(stream)
        text += binary.readBytes(count)
      },
      onStopRequest: (request, status) => (Components.isSuccessCode(status) ? resolve(text) : reject(new Error(String(status)))),
    }, top.msgWindow, null, false, '')
  }),

  markRead: (user, path, subjects, read) => folder(user, path).markMessagesRead(those(user, path, subjects), read),
  markFlagged: (user, path, subjects, flagged) => folder(user, path).markMessagesFlagged(those(user, path, subjects), flagged),
  tag: (user, path, subjects, tag) => folder(user, path).addKeywordsToMessages(those(user, path, subjects), tag),
  untag: (user, path, subjects, tag) => folder(user, path).removeKeywordsFromMessages(those(user, path, subjects), tag),

  // What may be undone is put off for a while, and done when there is time.
  transfer: (user, from, subjects, to, move) => copyOf((listener) => MailServices.copy.copyMessages(
    folder(user, from), those(user, from, subjects), folder(user, to), move, listener, top.msgWindow, false)),

  /** Stores a file as a message. */
  append: (user, path, file, flags) => copyOf((listener) => MailServices.copy.copyFileMessage(
    new FileUtils.File(file), folder(user, path), null, false, flags, '', listener, top.msgWindow)),

  /** Deletes: into the Trash, or for good. */
  remove: (user, path, subjects, forGood) => copyOf((listener) =>
    folder(user, path).deleteMessages(those(user, path, subjects), top.msgWindow, forGood, false, listener, false)),

  compact: (user, path) => urlOf((listener) => folder(user, path).compact(listener, top.msgWindow)),

  async create(user, parent, name) {
    const above = parent === '' ? serverOf(user).rootFolder : folder(user, parent)
    above.createSubfolder(name, top.msgWindow)
    await until(() => above.subFolders.some((one) => one.name === name))
  },

  async rename(user, path, name) {
    const { parent } = folder(user, path)
    folder(user, path).rename(name, top.msgWindow)
    await until(() => parent.subFolders.some((one) => one.name === name))
  },

  /** Deletes a folder, which goes into the Trash. */
  async drop(user, path) {
    const gone = folder(user, path)
    const { parent } = gone
    gone.deleteSelf(top.msgWindow)
    await until(() => !parent.subFolders.includes(gone))
  },

  /** Deletes a folder for good. Without the service that asks whether that is meant. */
  erase: (user, path) => urlOf((listener) => MailServices.imap.deleteFolder(folder(user, path), listener, top.msgWindow)),
}
