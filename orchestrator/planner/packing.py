"""The inner loops of packing: who may go and how urgent they are, the filling of a wave, and what its end changes.

Each function is handed everything, changes only the `State`, and calls nothing, so that the same text serves twice: Python runs it over
lists, and where numba is installed `machine_code` compiles it for large lanes, over arrays. That is why it is written in the few
words that both understand. `filling` puts the steps together.

A *stand* is a set of cells that classes stand in together, so what is asked of cells is asked once for all of these. A *group* is a
set of classes that share a limit (`pressure`); a *part* is what a domain of an exclusion, or the later side of an order, needs: the most
of its groups. Domains are numbered once by `Cells` and once by `Groups`, each in its own order.
"""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.planner.flat import Numbers, Rows


class Lane(NamedTuple):
    """One lane's classes, and what of the rules binds among them."""

    sizes: Numbers  # machines of each class
    limits: Numbers  # of each budget
    budgets: Rows  # class -> its budgets
    leads: Rows  # class -> the orders that it goes first in
    waits: Numbers  # class -> how many orders it goes then in
    firsts: Numbers  # order -> machines that go first
    behind: Rows  # order -> the classes that go then


class Stands(NamedTuple):
    """The cells of a lane's domains, under one way of finishing them."""

    of: Numbers  # class -> its stand
    # The places of each stand, row by row: stand n has those from starts[n] on.
    starts: Numbers
    exclusion: Numbers
    domain: Numbers  # by the number that its rule knows it by
    cell: Numbers
    among: Numbers  # the set of cells that are finished one before another
    number: Numbers  # of the domain, over all exclusions
    sizes: Numbers  # machines of each cell
    has_rivals: Numbers  # cell -> 1 if there are others in its set
    sets: int
    exclusions: int
    domain_sizes: Numbers
    later: Rows  # domain -> the domains that orders put after it
    earlier: Numbers  # domain -> how many they put before it
    in_turn: int  # 1 if cells of different sets may be begun side by side, and take turns by waves


class Groups(NamedTuple):
    """What still forces waves. The first groups are the budgets, the first parts the domains, the others orders."""

    of: Rows  # class -> its groups
    limits: Numbers  # of each group
    counts: Numbers  # machines of each group, before any is taken
    needs: Numbers  # waves of each group, before any is taken
    home: Numbers  # group -> its part; -1 for a budget
    parts: Rows  # part -> its groups
    exclusions: Rows  # exclusion -> its domains
    exclusions_of: Rows  # class -> its exclusions
    # A domain needs no less than any exclusion within it: exclusions, the innermost first, in layers that are each reckoned
    # at once, and the domain around each.
    inner: Rows
    around: Numbers
    domains: int  # how many of the parts are domains
    # Orders that have others behind them, those with fewest behind one another first, in layers; and of each place these others.
    ahead: Rows
    followers: Rows


class State(NamedTuple):
    """What is left and what is open, while waves are filled one after another."""

    left: Numbers  # machines of each class
    waits: Numbers  # class -> orders that keep it back
    firsts: Numbers  # order -> machines that go first and aren't done
    cell_left: Numbers
    begun: Numbers  # cell -> 1 once it is begun
    active: Numbers  # set of cells -> the domain that is open, or -1
    open: Numbers  # set of cells -> how many of its cells are begun and not finished
    domain_left: Numbers
    earlier: Numbers  # domain -> those before it that aren't finished
    enters: Numbers  # stand -> the wave that it was last asked in, doubled, and one more if it may enter
    now: Numbers  # exclusion -> the domain that is in the wave, where cells go in turn
    now_in: Numbers  # exclusion -> the wave that this was noted in
    # While a wave ends: stand -> machines that it took; and the stands of which it took any.
    gone: Numbers
    touched: Numbers
    # What is forced. Counts and needs are kept up to date by `finish`, the others by `weigh`.
    counts: Numbers  # machines of each group
    needs: Numbers  # waves of each group
    stale: Numbers  # part -> 1 where a group of it changed
    base: Numbers  # part -> waves, by its groups alone
    force: Numbers  # part -> waves, by all that follows from others
    whole: Numbers  # exclusion -> waves


class Line(NamedTuple):
    """Columns to write to: who may go, how urgent they are, and if they stand in what is begun."""

    who: Numbers
    urgency: Numbers
    weight: Numbers
    begun: Numbers
    # Of each stand: 0 if it is shut, 2 if it is begun and waited for, else 1; the most that its exclusions need, and their sum.
    may: Numbers
    most: Numbers
    sum: Numbers


def weigh(groups: Groups, state: State) -> None:
    """Bring up to date what parts and exclusions need."""
    needs, stale, base, force, whole = state.needs, state.stale, state.base, state.force, state.whole
    starts, items = groups.parts
    for part in range(len(base)):
        if stale[part]:
            stale[part] = 0
            most = 0
            for at in range(starts[part], starts[part + 1]):
                most = max(most, needs[items[at]])
            base[part] = most
        force[part] = base[part]
    starts, items = groups.exclusions
    for pair in range(len(groups.around)):
        inner = groups.inner.items[pair]
        total = 0
        for at in range(starts[inner], starts[inner + 1]):
            total += force[items[at]]
        force[groups.around[pair]] = max(force[groups.around[pair]], total)
    for exclusion in range(len(whole)):
        total = 0
        for at in range(starts[exclusion], starts[exclusion + 1]):
            total += force[items[at]]
        whole[exclusion] = total
    starts, items = groups.followers
    for place in range(len(groups.ahead.items)):
        most = 0
        for at in range(starts[place], starts[place + 1]):
            most = max(most, force[groups.domains + items[at]])
        force[groups.domains + groups.ahead.items[place]] += most


def look(stands: Stands, state: State, line: Line) -> None:
    """Which stands may be gone on with, or begun, which are begun and waited for, and what their exclusions need.

    A stand is shut where another domain is open, or where its own would be begun before one that orders put before it: a dead end.
    """
    active, earlier, whole = state.active, state.earlier, state.whole
    for stand in range(len(line.may)):
        may, most, total = 1, 0, 0
        for at in range(stands.starts[stand], stands.starts[stand + 1]):
            among, need = stands.among[at], whole[stands.exclusion[at]]
            if active[among] != stands.domain[at] and (active[among] >= 0 or earlier[stands.number[at]] > 0):
                may = 0
                break
            cell = stands.cell[at]
            if state.begun[cell] and state.cell_left[cell] and stands.has_rivals[cell]:
                may = 2
            most = max(most, need)
            total += need
        line.may[stand], line.most[stand], line.sum[stand] = may, most, total


def line_up(lane: Lane, stands: Stands, groups: Groups, state: State, line: Line) -> int:
    """Who may go as far as orders and open domains say, and how urgent they are; how many."""
    left, waits, needs, force = state.left, state.waits, state.needs, state.force
    of, may, domains = stands.of, line.may, groups.domains
    starts, items = lane.budgets
    first, orders = lane.leads
    count = 0
    for one in range(len(left)):
        stand = of[one]
        if not left[one] or waits[one] or not may[stand]:
            continue
        urgency, weight, behind = line.most[stand], line.sum[stand], 0
        for at in range(starts[one], starts[one + 1]):
            need = needs[items[at]]
            urgency = max(urgency, need)
            weight += need
        for at in range(first[one], first[one + 1]):
            behind = max(behind, force[domains + orders[at]])
        line.who[count] = one
        line.urgency[count] = urgency + behind
        line.weight[count] = weight
        line.begun[count] = may[stand] - 1
        count += 1
    return count


def fill(
    lane: Lane, stands: Stands, state: State, wave: int, turn: Numbers, taken: Numbers, many_of: Numbers
) -> int:
    """The wave of this number: of whoever may go, in this order, as many as may. How many classes it takes.

    A stand is begun unless another domain was begun since the wave began, or is in it; once that is known it holds for the whole wave.
    """
    starts, items = lane.budgets
    left, of, enters, active, now, now_in = (
        state.left, stands.of, state.enters, state.active, state.now, state.now_in,
    )  # fmt: skip
    room = lane.limits.copy()
    shut, entered = 2 * wave, 2 * wave + 1
    count = 0
    for place in range(len(turn)):
        one = turn[place]
        stand = of[one]
        known = enters[stand]
        if known == shut:
            continue
        many = left[one]
        for at in range(starts[one], starts[one + 1]):
            if room[items[at]] < many:
                many = room[items[at]]
                if not many:
                    break
        if not many:
            continue
        if known != entered:
            rows = range(stands.starts[stand], stands.starts[stand + 1])
            known = entered
            for at in rows:
                domain, exclusion = stands.domain[at], stands.exclusion[at]
                open_now = active[stands.among[at]]
                if (open_now >= 0 and open_now != domain) or (
                    now_in[exclusion] == wave and now[exclusion] != domain
                ):
                    known = shut
            enters[stand] = known
            if known == shut:
                continue
            for at in rows:
                if stands.in_turn:
                    now[stands.exclusion[at]], now_in[stands.exclusion[at]] = stands.domain[at], wave
                if not state.begun[stands.cell[at]]:
                    state.begun[stands.cell[at]] = 1
                    active[stands.among[at]] = stands.domain[at]
                    state.open[stands.among[at]] += 1
        for at in range(starts[one], starts[one + 1]):
            room[items[at]] -= many
        taken[count], many_of[count] = one, many
        count += 1
    return count


def finish(lane: Lane, stands: Stands, state: State, taken: Numbers, many_of: Numbers, count: int) -> None:
    """The wave is done: those who waited for it may go, cells that are empty close."""
    gone, touched = state.gone, state.touched
    starts, orders = lane.leads
    behind, waiting = lane.behind
    stands_touched = 0
    for place in range(count):
        one, many = taken[place], many_of[place]
        state.left[one] -= many
        stand = stands.of[one]
        if not gone[stand]:
            touched[stands_touched] = stand
            stands_touched += 1
        gone[stand] += many
        for at in range(starts[one], starts[one + 1]):
            order = orders[at]
            state.firsts[order] -= many
            if not state.firsts[order]:
                for held in range(behind[order], behind[order + 1]):
                    state.waits[waiting[held]] -= 1
    later, following = stands.later
    for place in range(stands_touched):
        stand = touched[place]
        many = gone[stand]
        gone[stand] = 0
        for at in range(stands.starts[stand], stands.starts[stand + 1]):
            number, cell, among = stands.number[at], stands.cell[at], stands.among[at]
            state.domain_left[number] -= many
            if not state.domain_left[number]:
                for after in range(later[number], later[number + 1]):
                    state.earlier[following[after]] -= 1
            state.cell_left[cell] -= many
            if not state.cell_left[cell]:
                state.open[among] -= 1
                if not state.open[among]:
                    state.active[among] = -1


def relieve(groups: Groups, state: State, taken: Numbers, many_of: Numbers, count: int) -> None:
    """What a wave took counts no more in its groups."""
    starts, items = groups.of
    counts, needs = state.counts, state.needs
    for place in range(count):
        one, many = taken[place], many_of[place]
        for at in range(starts[one], starts[one + 1]):
            group = items[at]
            counts[group] -= many
            need = -(-counts[group] // groups.limits[group])
            if need != needs[group]:
                needs[group] = need
                if groups.home[group] >= 0:
                    state.stale[groups.home[group]] = 1
