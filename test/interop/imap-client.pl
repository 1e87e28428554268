# Works with a mailbox by Mail::IMAPClient: PORT SECURITY (or compressed) CA USER PASSWORD; prints what it found.
use strict;
use warnings;
use Mail::IMAPClient;

my ($port, $security, $ca, $user, $password) = @ARGV;
my $tls = [SSL_ca_file => $ca, SSL_verify_mode => 1, SSL_verifycn_name => 'localhost'];
my $imap = Mail::IMAPClient->new(
    Server => 'localhost', Port => $port, User => $user, Password => $password, Uid => 1, Peek => 1, IgnoreSizeErrors => 0,
    Compress => $security eq 'compressed' ? 1 : 0,
    ($security eq 'implicit' ? (Ssl => $tls) : $security eq 'starttls' ? (Starttls => $tls) : ()),
) or die "cannot connect: $@";
sub ok { my ($done, $what) = @_; die "$what: " . $imap->LastError unless defined $done; return $done }

ok($imap->create('Perls'), 'create');
ok($imap->exists('Perls'), 'exists');
my $mail = "From: alice\@example.test\r\nSubject: perl\r\n\r\nA string of them.\r\n";
my $uid = ok($imap->append_string('Perls', $mail, '\\Seen', '17-Jul-2026 02:44:25 -0700'), 'append');
ok($imap->append_string('Perls', $mail), 'append');
print "uid $uid\n";
ok($imap->select('Perls'), 'select');
print 'messages ', join(',', $imap->messages), "\n";
print 'same ', ($imap->message_string($uid) eq $mail ? 'yes' : 'no'), "\n";
print 'subject ', $imap->subject($uid), "\n";
print 'body ', $imap->body_string($uid);
print 'size ', $imap->size($uid), "\n";
print 'date ', $imap->internaldate($uid), "\n";
print 'unseen ', join(',', $imap->unseen), "\n";
print 'found ', join(',', $imap->search('BODY', $imap->Quote('string'))), "\n";
my $hash = $imap->fetch_hash('FLAGS', 'RFC822.SIZE', 'BODY.PEEK[HEADER.FIELDS (Subject)]');
print 'flags ', join(' ', sort grep { $_ ne '\\Recent' } split ' ', $hash->{$uid}{FLAGS}), "\n";
my $structure = $imap->get_bodystructure($uid);
print 'type ', lc($structure->bodytype . '/' . $structure->bodysubtype), "\n";
my $envelope = $imap->get_envelope($uid);
print 'envelope ', $envelope->subject, ' ', $envelope->from_addresses, "\n";
ok($imap->set_flag('Flagged', $uid), 'set_flag');
ok($imap->copy('Archive', $uid), 'copy');
ok($imap->move('Trash', $uid), 'move');
ok($imap->expunge, 'expunge');
print 'left ', join(',', $imap->messages), "\n";
my @folders = sort $imap->folders;
print "folders @folders\n";
ok($imap->rename('Perls', 'Pearls'), 'rename');
my $idle = ok($imap->idle, 'idle');
ok($imap->done($idle), 'done');
ok($imap->close, 'close');
ok($imap->delete('Pearls'), 'delete');
ok($imap->logout, 'logout');
