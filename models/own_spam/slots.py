"""What goes into the slots of the frames: invented names, reserved domains, numbers reserved for fiction."""

from __future__ import annotations


def _words(block: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in " ".join(block.split()).split(" | "))


_SHARED = {
    "c": _words(
        """London | Leeds | Chicago | Delhi | Lagos | Dubai | Toronto | Sydney | Manila | Houston | Ashford Mills |
        Port Wexley | Nairobi | Dublin | Lahore | Miami | Brookhaven | Karachi | Glasgow | Denver"""
    ),
    "n": _words(
        """Mary Hollins | David Brant | Anita Kaur | Mr Osei | Lisa Carrow | James Odell | Fatima | Olga Petrik |
        Kevin Marsh | Mrs Adeyemi | Tom Vickers | Linda Prowse | Sanjay | Carlos Medo | Emma Thorley | Abdul Karim"""
    ),
    "m": _words(
        """$500 | $1,200 | £350 | $95 | 4000 dollars | €2,500 | $15k | £90 | $10,000 | $7.99 | 300 euros | $3,450 |
        $27 | £1.2 million | $120 | 25,000 pounds | $2 million | €49"""
    ),
    "x": _words("bitcoin | Bitcoin | BTC | crypto | ethereum | USDT | cryptocurrency | Dogecoin | forex | Solana"),
    "p": _words(
        """1-800-555-0142 | (202) 555-0187 | 555-0113 | +1 888 555 0164 | 01632 960 412 | 020 7946 0331 |
        1 (855) 555-0109 | 0113 496 0720 | 212.555.0156 | 03 5550 1748 | +44 131 496 0558 | 415 555 0122"""
    ),
    "w": _words(
        """+1 (312) 555-0170 | +447700900218 | +44 7700 900 645 | +1 646 555 0139 | +13125550191 | 07700 900 377 |
        +1-305-555-0128 | + 1 2 0 2 5 5 5 0 1 0 4 | +61 491 570 156 | +1(720)555-0166"""
    ),
}

SPAM_SLOTS: dict[str, tuple[str, ...]] = {
    **_SHARED,
    "u": _words(
        """https://www.bestdealzonline4u.com/ | http://quickcashsystem-pro.xyz | https://tinylinkz.example/3xYq9 |
        www.superrankseo-agency.top | http://hotmeetnow.click/?ref=8841 | https://easyjobpay.site/apply-now |
        http://www.luckyspinvegasx.shop/bonus | https://www.example.com/best-offer | http://cheapmedsdirectrx.ru |
        https://trustedhelpdesk247.online | www.paperwriterz-example.net | https://coinrecoverteam.icu/claim |
        http://go.example.test/a8f3 | HTTP://WWW.WORKDAILY7.VIP | https://sites.example/view/free-gift-2024 |
        homeprofitcoach.com/start | https://getrichslowly.example.net/?utm_source=comment&utm_medium=post |
        http://bit.example/2kQz | https://www.greenleafgummies-shop.com/products/buy | joinourgroupvip.club"""
    ),
    "d": _words(
        """bestdealzonline4u.com | paperwriterz-example.net | luckyspinvegasx.shop | www.rankmysite-fast.com |
        easyjobpay.site | cheapmedsdirectrx.ru | homeprofitcoach.com | seo-masters-example.com | www.example.com |
        quickloanzapproved.top | topreplicabags.store | workdaily7.vip | fastmovers-example.com | dealhub-example.net"""
    ),
    "e": _words(
        """cyberwizardrecovery@mail.example | drlovespell@inbox.test | quickloanfirm01@example.com |
        seo.expert.rank@example.net | hackerpro247@mail.example | mrsmary.donation@webmail.test |
        info@homeprofitcoach.example | (assetsrescue @ example . com) | globalfunding@example.org |
        recoverycoins(at)mail.example"""
    ),
    "t": _words("@fx_expert_signals | @CoinQueen_trade | t.me/vipprofits77 | @mrs_forex01 | @earn_daily9"),
    "q": _words("@young.king.beats | @investwithlara_ | @lil_nova_official | @crypto_coach_ben | @dailylootz"),
    "b": _words(
        """FinWealth | QuickPaper | Nordex Recovery | SEO Titans | ZenGummies | Apex Digital Marketing | EduWritePro |
        Lucky Vegas X | TradeMax AI | CleanMoves | Horizon Air | TrustSwap Wallet | GlobalCapital Loans | SpyGuard"""
    ),
    "g": _words(
        """handbags | designer watches | sneakers | sunglasses | jackets | perfumes | winter boots | jewelry |
        phone cases | football shirts | wedding dresses | belts"""
    ),
    "k": _words(
        """SEO services | cheap web hosting | carpet cleaning | personal injury lawyer | payday loans | online casino |
        essay writing service | weight loss supplements | web design company | assignment help | roof repair |
        packers and movers | data science course | digital marketing | escort service | dental implants |
        poker bonus | used car parts | mobile app development | hair transplant | bed bugs control | vpn coupon |
        Python training | free psychic reading | garage door opener | best mattress"""
    ),
}

HARMLESS_SLOTS: dict[str, tuple[str, ...]] = {
    **_SHARED,
    "u": _words(
        """https://www.gov.example/reports/flood-2023.pdf | https://en.wikipedia.org/wiki/Main_Page |
        www.cityhall.example/minutes | https://news.example.com/2021/05/14/council-vote |
        https://archive.org/details/example-report | http://www.statistics.example/tables/t3.html |
        https://www.example.org/ | https://www.example.edu/~history/bridge.html | voteguide-example.org |
        https://data.example.gov.test/dataset/traffic?year=2022 | https://dailyherald.example/story/4471 |
        healthoffice-example.org/advice | https://www.parliament.example/bills/hc-114 |
        http://tenants-union.example/help |
        https://journal.example.net/doi/10.5555/12345 | https://video.example/watch?v=aB3dE5 | www.example.co.uk |
        https://short.example/x7Kp | https://www.police.example/appeal-22 | theguideexample.com/map"""
    ),
    "e": _words("letters@paper.example | info@cityhall.example | ombudsman@example.org | j.hale@council.example"),
    "y": _words("1974 | 1989 | 1998 | 2003 | 2009 | 2012 | 2016 | 2019 | 2020 | 2022"),
    "day": _words(
        """Monday | Saturday | 14 May | the 3rd of June | Friday | 12/10 | Sunday | 30 November | Wednesday |
        next Thursday"""
    ),
    "month": _words("January | March | May | last July | September | November"),
}
