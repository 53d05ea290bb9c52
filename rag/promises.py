"""Promises of a person or an action, in the languages that customers of an Indonesian shop write. Pure.

Whoever reads "we will contact you" waits for it, so nobody but a person or fixed text may say it. What the
shop does as a rule is no promise: "our courier delivers on Sundays", "kami kirim ke seluruh Indonesia".
"""

from __future__ import annotations

import re

from rag.normalise import normalise

_WHO = r"(?:aku|saya|kami|kita|(?:admin|tim|cs|teknisi|kurir|petugas|mimin|min|owner)(?:nya| kami)?)"
_WHEN = (
    r"(?:akan|segera|bakal|sudah|udah|telah|lagi|sedang|nanti|bantu|coba|langsung|pasti|juga|yang|siap|mau)"
)
_SOON = rf"(?:{_WHEN}\s+){{0,3}}"
# "Kami kirim ke seluruh Indonesia" is a fact about the shop; "sudah kami kirim" and "segera kami kirim" are
# claims about this order. So the bare verb counts only with a word of time.
_KIRIM = r"(?:kirim|antar)"
_STEM = (
    r"(?:hubungi|kontak|kabar(?:i|in|kan)|infokan|info(?:in)?|telepon|telpon|tlp|sambungkan|sambungin|teruskan"
    r"|terusin"
    r"|proses(?:kan|in)?|cek(?:kan|in)?|periksa|kirim(?:kan|in)|antar(?:kan|in)|pesankan|pesenin|buatkan|bikinin"
    r"|jadwalkan|catat(?:kan)?|siapkan|siapin|konfirmasi(?:kan)?|refund|kembalikan|batalkan|balas|bales"
    r"|tanyakan|tanyain|sampaikan|pastikan|bookingkan|tindak ?lanjuti|follow ?up)"
)
_ACTIVE = (
    r"(?:(?:meng|nge)hubungi|mengontak|ngontak|mengabari|mengabarkan|ngabari|ngabarin|menginfokan|"
    r"ngasih tahu|"
    r"memberi ?tahu|menelepon|menelpon|nelepon|nelpon|menyambungkan|meneruskan|memproses|mengecek|ngecek|"
    r"memeriksa|"
    r"mengirim(?:kan)?|ngirim(?:in)?|mengantar(?:kan)?|memesankan|membuatkan|menjadwalkan|mencatat|menyiapkan|"
    r"mengonfirmasi|mengkonfirmasi|mengembalikan|membatalkan|membalas|menanyakan|menyampaikan|memastikan|"
    r"menindaklanjuti|datang)"
)
_ACTION = rf"(?:{_STEM}|{_ACTIVE})"
_PASSIVE = (
    r"(?:akan|segera|bakal|sudah|udah|telah|nanti|lagi|sedang)\s+(?:segera\s+|langsung\s+)?"
    rf"di(?:{_STEM}|{_KIRIM})"
)
_CLITIC = rf"\bku(?:{_STEM}|kirim|antar)\b"
_INDONESIAN = re.compile(
    rf"\b(?:{_WHEN}\s+)?{_WHO}\s+{_SOON}{_ACTION}\b"
    rf"|\b{_WHEN}\s+{_WHO}\s+{_SOON}{_KIRIM}\b|\b{_WHO}\s+{_WHEN}\s+{_SOON}{_KIRIM}\b"
    rf"|\b{_PASSIVE}\b|{_CLITIC}"
)

# Javanese and Sundanese, with Indonesian between their words as people mix it.
_WHO_REGIONAL = (
    rf"(?:{_WHO}|admin(?:e|é|ipun|na)|kurir(?:e|é|ipun|na)|kula|kulo|dalem|abdi|urang|simkuring|mang admin)"
)
# "Arep dikirim ning endi?" asks the customer where to; so these stand apart.
_WANT = r"(?:arep|badhe|bad[eé]|ajeng|d[eé]k|r[eé]k|meh)"
_DONE = r"(?:bakal|mengko|engko|mangk[eé]|engk[eé]|sampun|wis|uwis|tos|parantos|nembe|nuju)"
_LATER = (
    rf"(?:{_WANT}|{_DONE}|enggal|langsung|geura|keur|lagi|sing|malih|sekedap|nanti|akan|segera|sudah|bantu"
    r"|coba)"
)
_TO_TELL = (
    r"(?:ngubungi|hubungi|ngabari|kabari|ngabarke|kabarke|ngontak|kontak|n[ae]lpon|telpon|nelepon|ngandhani"
    r"|ngomongi|mangsuli|wangsuli|mbales|bales|balesi|ngecek(?:ke)?|cek(?:ke|aken)?|mriksa|priksa|takon"
    r"|tako[kn](?:ke|ake|aken|no)|n[ea]ko[kn](?:ke|ake|aken)|nyuwunaken|terus(?:ke|ake|aken|no)"
    r"|nerus(?:ke|ake|aken)|ngaturaken|ngurus|urus|siap(?:ke|ake|no)|nyiap(?:ke|ake)|nyawisaken|mroses"
    r"|proses(?:ke|ake|no)?|teka|rawuh"
    r"|ngahubungi|ngab[eé]jaan|b[eé]jaan|ngawartosan|wartosan|mariksa|pariksa|naroskeun|taroskeun|nanyakeun"
    r"|neraskeun|teraskeun|ngabales|ngawaler|waler|nyiapkeun|siapkeun|nyayogikeun|sayogikeun|sumping|dongkap)"
)
_TO_SEND = (
    r"(?:ngirim(?:ke|ake|keun)?|kirim(?:ke|ake|aken|keun)?|ngintun(?:aken|keun)?|kintun(?:aken|keun)?"
    r"|ng[ea]ter(?:ke|ake|aken)|nganter(?:ke|ake|keun)?|anter(?:ke|ake|keun)?)"
)
_REGIONAL = re.compile(
    rf"\b(?:{_LATER}\s+)?{_WHO_REGIONAL}\s+(?:{_LATER}\s+){{0,3}}{_TO_TELL}\b"
    rf"|\b{_LATER}\s+{_WHO_REGIONAL}\s+(?:{_LATER}\s+){{0,3}}{_TO_SEND}\b"
    rf"|\b{_WHO_REGIONAL}\s+(?:{_LATER}\s+){{1,3}}{_TO_SEND}\b"
    rf"|\b(?:{_WANT}|{_DONE})\s+(?:{_LATER}\s+)?di(?:pun\s?)?{_TO_TELL}\b"
    rf"|\b{_DONE}\s+(?:{_LATER}\s+)?di(?:pun\s?)?{_TO_SEND}\b"
    rf"|\bku\s+{_WHO_REGIONAL}\s+(?:{_LATER}\s+)?di{_TO_TELL}\b"
    # "Tak" is "not" in Indonesian, where nobody says it before these.
    r"|\b[td]ak\s?(?:kabari|kabarke|hubungi|cek(?:ke|no)?|priksa|tako[kn](?:ke|ake|no)|terus(?:ke|ake|no)"
    r"|siap(?:ke|ake|no)|catet|urus|proses(?:ke|no)|kirim(?:ke|no|ake)|balesi)\b"
)

_WHO_ENGLISH = (
    r"(?:i|we|they|someone|somebody|(?:(?:our|the|an?|my|one of our)\s+)?(?:\w+\s+)?(?:team|staff|admins?"
    r"|couriers?|drivers?|technicians?|owner|colleagues?|agents?|representatives?|customer service"
    r"|customer support|cs|support|seller|shop|store))"
)
_SPEED = (
    r"(?:also|then|now|just|soon|shortly|surely|definitely|certainly|immediately|gladly|happily|personally"
    r"|quickly|directly|already|currently|first|try to|make sure to|be sure to|be able to|help to|help|go and"
    r"|go ahead and|have to|need to)"
)
_QUICKLY = rf"(?:{_SPEED}\s+){{0,3}}"
_THIS = r"(?:your|ur|the|this|that|it|its|them|these|those|everything)"
# What only a person can do, and has to once it was said.
_CARE = (
    r"(?:contact|call|phone|text|message|e-?mail|whatsapp|reach out|reach you|get back|get in touch"
    r"|be in touch|be with you|be right back|be there|reply|respond|answer you|follow up"
    r"|(?:double[- ])?check|look into|look (?:it|this|that) up|have a look|take a look|see if|see whether"
    r"|find out|ask|inquire|enquire|consult|confirm|verify|notify|inform|tell you|let (?:you|u|ya) know"
    r"|update you|keep you (?:posted|updated|informed)|forward|pass (?:it|this|that|on|along|your|the)|relay"
    r"|escalate|connect you|transfer you|put you|hand (?:it|this|you)|handle|take care of"
    rf"|sort (?:it|this|that)|fix {_THIS}|arrange|schedule|book|reserve|set (?:it|one|this) aside"
    r"|hold (?:it|one)|note (?:it|this|that|your|down)|write (?:it|this|that) down|record (?:it|this|your)"
    r"|place (?:your|the|an) order|cancel (?:your|the|it|this)|come|visit you"
    r"|give you an? (?:call|ring|update)|have (?:our|the|an) \w+ (?:contact|call))"
)
_CARING = (
    r"(?:contacting|calling|checking|looking into|finding out|asking|confirming|verifying|notifying"
    r"|forwarding|escalating|connecting you|transferring you|arranging|scheduling|booking|reserving"
    r"|cancelling|canceling|coming(?! soon)|taking care of)"
)
_CARED = (
    r"(?:contacted|called|checked|looked into|asked|confirmed|verified|notified|informed|forwarded|passed"
    r"|relayed|escalated|arranged|scheduled|booked|reserved|noted|recorded|cancelled|canceled"
    r"|placed (?:your|the) order|received (?:your|the) (?:payment|transfer|order|money)"
    rf"|(?:processed|shipped|sent|delivered|dispatched|packed|prepared|refunded|reimbursed) {_THIS})"
)
_HANDLE = r"(?:process|ship|send|deliver|dispatch|bring|prepare|pack|refund|reimburse|replace)"
_HANDLING = r"(?:processing|shipping|sending|delivering|dispatching|preparing|packing|refunding)"
_HANDLED = (
    r"(?:processed|shipped|sent|delivered|dispatched|packed|prepared|refunded|reimbursed|cancelled|canceled"
    r"|confirmed|booked|reserved|arranged|scheduled|received|approved|noted|forwarded|passed on|escalated)"
)
_ORDER = (
    r"(?:it|(?:your|ur|the|this)(?:\s+\w+)?\s+(?:orders?|packages?|parcels?|items?|goods|products?|shipment"
    r"|delivery|refund|money|payment|transfer|booking|reservation|appointment|request|question|message"
    r"|complaint)(?:\s+\w+){0,2}?)"
)
_WILL = r"(?:\s+(?:will|shall|gonna)|['’]ll)"
_IS = r"(?:\s+(?:am|are|is)|['’](?:m|re|s))"
_HAS = r"(?:\s+(?:have|has)|['’](?:ve|s))"
_GOING = rf"(?:{_WILL}|{_IS}\s+(?:going to|gonna|about to))"
_ENGLISH = re.compile(
    rf"\b(?:{_WHO_ENGLISH}{_GOING}|ill|let me|lemme|allow me to)\s+{_QUICKLY}{_CARE}\b"
    # "Will check and get back to you": nobody is named, and somebody is meant.
    rf"|(?:^|[.!,;:…]\s)(?:will|gonna)\s+{_QUICKLY}{_CARE}\b"
    rf"|\b{_WHO_ENGLISH}{_IS}\s+{_QUICKLY}{_CARING}\b|\bwhile (?:i|we) {_QUICKLY}(?:check|ask|confirm|look)\b"
    rf"|\b(?:i|we) (?:need|have|want) to {_QUICKLY}(?:check|ask)\b"
    rf"|\b{_WHO_ENGLISH}{_IS}\s+{_QUICKLY}{_HANDLING}\s+{_THIS}\b"
    rf"|\b{_WHO_ENGLISH}{_HAS}?\s+{_QUICKLY}{_CARED}\b"
    r"|\byou(?:\s+will|['’]ll)\s+(?:soon |shortly |also )?(?:be (?:contacted|called|notified|informed"
    r"|updated|refunded)|(?:get|receive|hear) (?:an? |our )?(?:call|message|reply|update|response|answer|back"
    r"|from)\b)"
    r"|\bexpect an? (?:call|reply|message|response|answer)\b"
    rf"|\b{_ORDER}\s+(?:(?:has|have)\s+(?:\w+\s+)?been|was|were|(?:is|are)\s+(?:being|already|now"
    rf"(?: being)?))\s+(?:just\s+|already\s+|successfully\s+)?{_HANDLED}\b"
    rf"|\b(?:{_ORDER}|he|she|(?:the|our|your) (?:courier|driver|technician|admin))\s+(?:is|are)\s+"
    r"(?:already\s+|now\s+)?on (?:its|his|her|their|the) way\b"
)
# Claims about one order, and rules of the shop behind an "if": "once it is paid, we will ship it".
_ENGLISH_CLAIM = re.compile(
    rf"\b(?:{_WHO_ENGLISH}{_GOING}|ill|let me)\s+{_QUICKLY}{_HANDLE}\b"
    rf"|\b{_ORDER}\s+will\s+{_QUICKLY}be\s+{_QUICKLY}{_HANDLED}\b"
    rf"|\byour (?:order|booking|reservation|payment|refund|appointment) (?:is|are) {_HANDLED}\b"
)
# Most answers are Indonesian, and the patterns above cost ten times as much as this one.
_IS_ENGLISH = re.compile(
    r"['’](?:ll|ve|re|m|s)\b|\b(?:i|ill|we|they|you|ur|your|our|the|it|this|am|are|is|have|has|will|shall|gonna"
    r"|let|lemme|allow|expect|someone|somebody)\b"
)
_RULE = re.compile(r"\b(?:if|once|when|whenever|upon|unless|after(?!\s+\d))\b")
_SENTENCE = re.compile(r"[.!?…]+\s")


def promises(text: str, stated_text: str) -> bool:
    """Whether the text promises a person or an action that nobody who may do so stated in the same words."""
    plain = normalise(text)
    patterns = (_INDONESIAN, _REGIONAL, _ENGLISH) if _IS_ENGLISH.search(plain) else (_INDONESIAN, _REGIONAL)
    found = [match[0] for pattern in patterns for match in pattern.finditer(plain)]
    if _ENGLISH in patterns:
        claims = [sentence for sentence in _SENTENCE.split(plain) if not _RULE.search(sentence)]
        found += [match[0] for sentence in claims for match in _ENGLISH_CLAIM.finditer(sentence)]
    if not found:
        return False
    stated = normalise(stated_text)
    return any(promise not in stated for promise in found)
