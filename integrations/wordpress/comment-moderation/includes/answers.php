<?php
/**
 * Answers to people: a report was closed, an appeal decided, a comment rejected for reasons that its author may read.
 *
 * What became of it is noted at the comment, in any order of arrival. Letters are sent only if the administrator wants
 * them, once each, and none about what is older than a few days: a feed may be read again from its beginning.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

/** So many reports, and letters that were sent, are remembered for a comment. */
const ANSWERS_KEPT = 200;

/** Seconds after which there is no letter any more. */
const LETTER_AGE = 3 * DAY_IN_SECONDS;

/**
 * Takes the answer that an event brings. False when it is of no comment here, or known.
 *
 * @param array $event Of the type report.closed or appeal.decided.
 */
function apply_answer( array $event ): bool {
	$data    = is_array( $event['data'] ?? null ) ? $event['data'] : array();
	$comment = comment_named( (string) ( $data['comment']['external_id'] ?? '' ) );
	$kind    = 'report.closed' === $event['type'] ? 'report' : 'appeal';
	$answer  = array_filter( (array) ( $data[ $kind ] ?? array() ), 'is_string' );
	if ( ! $comment || ! isset( $answer['id'], $answer['outcome'] ) ) {
		return false;
	}
	$id   = (int) $comment->comment_ID;
	$at   = (string) ( $event['occurred_at'] ?? '' );
	$news = alone(
		$id,
		static function () use ( $id, $kind, $answer, $at ) {
			return note_outcome( $id, $kind, $answer, $at );
		}
	);
	if ( ! $news ) {
		return false;
	}
	/**
	 * Fires when the moderators have answered a report or an appeal, for whatever took it on this site.
	 *
	 * @param \WP_Comment $comment The comment.
	 * @param array       $answer  Strings: id, outcome; of a report also reporter, of an appeal also answer.
	 */
	do_action( "comment_moderation_{$kind}_answered", $comment, $answer );
	if ( 'report' === $kind ) {
		write_to_reporter( $comment, $answer, $event );
	} else {
		write_about_appeal( $comment, $answer, $event );
	}
	return true;
}

/**
 * Notes an answer, unless the same or a newer one is there.
 *
 * @param int    $id     The comment.
 * @param string $kind   Either report or appeal.
 * @param array  $answer What the service says.
 * @param string $at     When.
 */
function note_outcome( int $id, string $kind, array $answer, string $at ): bool {
	$answers = record( $id )['answers'] ?? array();
	$name    = $kind . ' ' . $answer['id'];
	$known   = $answers[ $name ] ?? array( 'at' => '' );
	if ( strcmp( $at, $known['at'] ) <= 0 ) {
		return false;
	}
	unset( $answers[ $name ] ); // So that the newest stand last.
	$answers[ $name ] = array(
		'at'      => $at,
		'outcome' => $answer['outcome'],
	);
	keep( $id, array( 'answers' => array_slice( $answers, -ANSWERS_KEPT, null, true ) ) );
	return true;
}

/**
 * What became of reports and appeals, in words for the list of comments.
 *
 * @param array $record Of the comment.
 * @return string[]
 */
function answer_words( array $record ): array {
	$counts = array();
	foreach ( $record['answers'] ?? array() as $name => $answer ) {
		$what            = strtok( (string) $name, ' ' ) . ' ' . $answer['outcome'];
		$counts[ $what ] = ( $counts[ $what ] ?? 0 ) + 1;
	}
	$words = array(
		/* translators: %d: number of reports. */
		'report upheld'    => __( 'Reports upheld: %d', 'comment-moderation' ),
		/* translators: %d: number of reports. */
		'report dismissed' => __( 'Reports dismissed: %d', 'comment-moderation' ),
		'appeal uphold'    => __( 'After an appeal: still rejected', 'comment-moderation' ),
		'appeal overturn'  => __( 'After an appeal: published', 'comment-moderation' ),
	);
	$said  = array();
	foreach ( $words as $what => $text ) {
		if ( isset( $counts[ $what ] ) ) {
			$said[] = sprintf( $text, $counts[ $what ] );
		}
	}
	return $said;
}

/**
 * Tells the author of a comment that was rejected where the reasons stand, and how to appeal.
 *
 * @param \WP_Comment $comment The comment.
 * @param array       $event   Of the type comment.rejected.
 */
function write_about_rejection( \WP_Comment $comment, array $event ): void {
	$url = esc_url_raw( (string) ( $event['data']['statement']['url'] ?? '' ), array( 'http', 'https' ) );
	if ( '' !== $url ) {
		$text = __( 'Your comment was not published, or was taken down. Why, and what you can do about it, stands here:', 'comment-moderation' );
		write_letter( $comment, $comment->comment_author_email, $event, $text . "\n" . $url );
	}
}

/**
 * Tells the author of a comment what became of the appeal.
 *
 * @param \WP_Comment $comment The comment.
 * @param array       $answer  Of the moderators.
 * @param array       $event   That brought it.
 */
function write_about_appeal( \WP_Comment $comment, array $answer, array $event ): void {
	$outcomes = array(
		'uphold'   => __( 'Somebody else has looked at your comment again. It stays unpublished.', 'comment-moderation' ),
		'overturn' => __( 'Somebody has looked at your comment again. It is published now.', 'comment-moderation' ),
	);
	if ( isset( $outcomes[ $answer['outcome'] ] ) ) {
		$text = trim( $outcomes[ $answer['outcome'] ] . "\n\n" . ( $answer['answer'] ?? '' ) );
		write_letter( $comment, $comment->comment_author_email, $event, $text );
	}
}

/**
 * Tells who reported a comment what became of it, if it is a user of this site.
 *
 * @param \WP_Comment $comment The comment.
 * @param array       $answer  Of the moderators.
 * @param array       $event   That brought it.
 */
function write_to_reporter( \WP_Comment $comment, array $answer, array $event ): void {
	$outcomes = array(
		'upheld'    => __( 'Thank you for your report. The comment was taken down.', 'comment-moderation' ),
		'dismissed' => __( 'Thank you for your report. The moderators have looked at the comment, and it stays.', 'comment-moderation' ),
	);
	$user     = preg_match( '/^wp-user-(\d{1,18})$/', $answer['reporter'] ?? '', $parts ) ? get_userdata( (int) $parts[1] ) : false;
	if ( $user && isset( $outcomes[ $answer['outcome'] ] ) ) {
		write_letter( $comment, $user->user_email, $event, $outcomes[ $answer['outcome'] ] );
	}
}

/**
 * Sends a letter, once for an event, if the administrator wants letters and the event is of these days.
 *
 * @param \WP_Comment $comment The comment.
 * @param string      $to      An e-mail address; where it is none, nothing is sent.
 * @param array       $event   That it is about.
 * @param string      $text    The letter without what is said of the comment.
 */
function write_letter( \WP_Comment $comment, string $to, array $event, string $text ): void {
	$age = time() - (int) strtotime( (string) ( $event['occurred_at'] ?? '' ) );
	if ( '1' !== settings()['letters'] || ! is_email( $to ) || $age > LETTER_AGE ) {
		return;
	}
	$id   = (int) $comment->comment_ID;
	$name = (string) ( $event['id'] ?? '' );
	$new  = alone(
		$id,
		static function () use ( $id, $name ) {
			$letters = record( $id )['letters'] ?? array();
			if ( in_array( $name, $letters, true ) ) {
				return false;
			}
			keep( $id, array( 'letters' => array_slice( array_merge( $letters, array( $name ) ), -ANSWERS_KEPT ) ) );
			return true;
		}
	);
	if ( $new ) {
		$blog  = wp_specialchars_decode( get_option( 'blogname' ), ENT_QUOTES );
		$title = wp_specialchars_decode( wp_strip_all_tags( get_the_title( (int) $comment->comment_post_ID ) ), ENT_QUOTES );
		/* translators: 1: name of the site, 2: title of the article. */
		$subject = sprintf( __( '[%1$s] A comment on "%2$s"', 'comment-moderation' ), $blog, $title );
		wp_mail( $to, $subject, $text . "\n\n" . get_permalink( (int) $comment->comment_post_ID ) . "\n" );
	}
}
