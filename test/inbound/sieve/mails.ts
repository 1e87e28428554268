/*
 * Messages for scripts, those of the RFCs among them. Line ends are LF here.
 */

/** RFC 5228 §2.7.1 and others speak of it. */
export const PLAIN = `Return-Path: <coyote@desert.example.org>
Received: from desert.example.org by acme.example.com; Mon, 1 Apr 1997 09:06:32 -0800
Received: from home.example.org by desert.example.org; Mon, 1 Apr 1997 09:06:31 -0800
Date: Tue, 1 Apr 1997 09:06:31 -0800 (PST)
From: coyote@desert.example.org
To: roadrunner@acme.example.com
Subject: I have a present for you
Message-ID: <1@desert.example.org>
X-Priority: 3

Look, I'm sorry about the whole anvil thing, and I really
didn't mean to try and drop it on you from the top of the
cliff.  I want to try to make it up to you.
`

/** With many of everything. */
export const BUSY = `Received: by c.example; Wed, 3 Mar 2010 10:00:03 +0000
Received: by b.example; Wed, 3 Mar 2010 10:00:02 +0000
Received: by a.example; Wed, 3 Mar 2010 10:00:01 +0000
Date: Wed, 03 Mar 2010 23:30:00 +0200
From: "Boss, The" <boss@example.com>, Other <ken+tag@Sub.Example.ORG>
Sender: owner-list@example.org
To: Tim <tim+ietf@example.com>, friends: joe@example.net, sue@example.net;
Cc: roadrunner+sales@ACME.example.com
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=
List-ID: Dev discussions <dev.lists.example.org>
X-Spam-Score: 0042.5
X-Flag:
X-Flag: second
Message-ID: <busy@example.com>

body text
`

/** RFC 5173 §5.2. */
export const PARTS = `From: Whomever
To: Someone
Date: Whenever
Subject: whatever
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

This is a multi-part message in MIME format.

--outer
Content-Type: multipart/alternative; boundary=inner

This is a nested multi-part message in MIME format.

--inner
Content-Type: text/plain; charset="us-ascii"

Hello

--inner
Content-Type: text/html; charset="us-ascii"

<html><body>Hel<b>lo</b> World</body></html>

--inner--

This is the end of the inner MIME multipart.

--outer
Content-Type: message/rfc822

From: Someone Else
Subject: hello request

Please say Hello

--outer
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: base64

R3L832Ugdm9uIFdlaXQgaGVy

--outer
Content-Type: application/octet-stream
Content-Transfer-Encoding: quoted-printable

secret=20bytes

--outer--

This is the end of the outer MIME multipart.
`

/** To somebody, from somebody: what vacation answers. */
export const PERSONAL = `From: Tweety <tweety@cage.example.org>
To: spike@doghouse.example.com
Subject: lunch?
Message-ID: <lunch@cage.example.org>

How about it?
`
