"""Common words of English, as evidence that a text is English before any library is asked.

Comments are short, full of slang and names, and language detectors take many of them for other languages; a fifth of
such words settles it. Apostrophes are left out, as `models.normalise` does.
"""

from __future__ import annotations

# Words that hardly any other language in Latin letters has.
_STRONG = """
the and you your yours yourself youre youve youd they them their theirs theyre theyll theyve this that thats these
those there theres with without what whats when where which who whose why how would wouldnt should shouldnt could
couldnt can cant cannot dont doesnt didnt isnt arent wasnt werent wont havent hasnt hadnt aint it its im ive ill id
hes shes lets were weve been being are does did done doing not nothing never nobody none just from about because than
then only like likes liked know knows knew think thinks thought people person get gets getting got going goes went
gone want wants wanted need needs needed make makes made making every everyone everything everybody anyone anything
any our ours my mine myself she him himself herself itself themselves other others another some someone something good
great better best worse worst right wrong true false yes sure really very much many more always again away back down
off out into after before between through while against both each few such too same own here now today year years day
days way ways thing things world country god damn woman women guy guys kid kids child children look looks looking see
seen saw say says said tell told talk read write wrote story news money pay paid job work works working government
trump president vote please thanks thank hello hey welcome sorry agree agreed disagree stupid dumb shut fuck fucking
fucked shit ass asshole bitch idiots moron morons loser liar kill ugly hate hated crap sucks suck bullshit dude lol
lmao omg wtf white black muslim muslims jews jew gay girl girls boy boys free stop keep let take took taken give gave
given came find found feel even still maybe also already well yeah nope nice love loved happy life live lives help
believe mean means matter case fact old new big little long first next two hi hows whos wheres wow oh cool awesome
awful terrible horrible disgusting disgrace shame shameful pathetic ridiculous nonsense joke funny sad lies truth fake
exactly absolutely totally reason answer problem wait watch show shows call called use used using try tried trying
start started win won lose lost ever else though yet enough around school police law city state states left court
house water food family mother father mom dad friend friends
"""
# Frequent in English and not only there: worth half.
_WEAK = """
a i is of in on to for have has had was be he we us me or at no by if an as so do all her his but will may might must
am most go men man die land come war time one until fire over under last end gift hell bad art rubbish media article
comment question point
"""

STRONG = frozenset(_STRONG.split())
WEAK = frozenset(_WEAK.split())
